//! What the file systems, the crash images and the stepped world promise, through their public face.

mod crash_images;
mod faults;
mod fs_contract;
mod images_of_work;
#[cfg(planted_bugs)]
mod planted;
mod stepped_world;
