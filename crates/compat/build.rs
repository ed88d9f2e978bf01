//! Tells the integration tests of a caller's, built in this package, whether it asks for zstd.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(zstd_any)");
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_ZSTD").is_some() {
        println!("cargo:rustc-cfg=zstd_any");
    }
}
