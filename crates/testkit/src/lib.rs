//! Internal to Sediment: models, scripts and crash sweeps for its tests.
