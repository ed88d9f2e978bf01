//! Internal to Sediment: the only unsafe code.
