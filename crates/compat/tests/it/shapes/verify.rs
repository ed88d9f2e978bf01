//! Every name of `lsm_tree::verify` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::verify::*;

fn integrity_error_keeps_its_shape() {
    let _: fn(&IntegrityError) = |of| {
        if let IntegrityError::SstFileCorrupted { table_id, path, expected, got } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &Checksum = expected;
            let _: &Checksum = got;
        }
    };
    let _: fn(&IntegrityError) = |of| {
        if let IntegrityError::BlobFileCorrupted { blob_file_id, path, expected, got } = of {
            let _: &u64 = blob_file_id;
            let _: &PathBuf = path;
            let _: &Checksum = expected;
            let _: &Checksum = got;
        }
    };
    let _: fn(&IntegrityError) = |of| {
        if let IntegrityError::IoError { path, error } = of {
            let _: &PathBuf = path;
            let _: &std::io::Error = error;
        }
    };
    has!(IntegrityError: std::fmt::Debug);
    has!(IntegrityError: std::fmt::Display);
    has!(IntegrityError: std::error::Error);
}

fn integrity_report_keeps_its_shape() {
    field!(IntegrityReport::sst_files_checked: usize);
    field!(IntegrityReport::blob_files_checked: usize);
    field!(IntegrityReport::errors: Vec<IntegrityError>);
    let _: fn(&IntegrityReport) -> bool = IntegrityReport::is_ok;
    let _: fn(&IntegrityReport) -> usize = IntegrityReport::files_checked;
    has!(IntegrityReport: std::fmt::Debug);
}

fn verify_integrity_keeps_its_shape() {
    let _: fn(&AnyTree) -> IntegrityReport = verify_integrity;
}

fn block_verify_error_keeps_its_shape() {
    let _: fn(&BlockVerifyError) = |of| {
        if let BlockVerifyError::SstFileUnreadable { table_id, path, error } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &Error = error;
        }
    };
    let _: fn(&BlockVerifyError) = |of| {
        if let BlockVerifyError::HeaderCorrupted { table_id, path, offset, reason } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &u64 = offset;
            let _: &String = reason;
        }
    };
    let _: fn(&BlockVerifyError) = |of| {
        if let BlockVerifyError::DataCorrupted { table_id, path, offset, data_length, expected, got } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &u64 = offset;
            let _: &u32 = data_length;
            let _: &Checksum = expected;
            let _: &Checksum = got;
        }
    };
    let _: fn(&BlockVerifyError) = |of| {
        if let BlockVerifyError::DataReadError { table_id, path, offset, data_length, error } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &u64 = offset;
            let _: &u32 = data_length;
            let _: &Error = error;
        }
    };
    let _: fn(&BlockVerifyError) = |of| {
        if let BlockVerifyError::TocCorrupted { table_id, path, section_name, section_offset, reason } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
            let _: &Vec<u8> = section_name;
            let _: &u64 = section_offset;
            let _: &String = reason;
        }
    };
    has!(BlockVerifyError: std::fmt::Debug);
    has!(BlockVerifyError: std::fmt::Display);
    has!(BlockVerifyError: std::error::Error);
}

fn block_verify_warning_keeps_its_shape() {
    let _: fn(&BlockVerifyWarning) = |of| {
        if let BlockVerifyWarning::UnrecognizedEcc { table_id, path } = of {
            let _: &TableId = table_id;
            let _: &PathBuf = path;
        }
    };
    has!(BlockVerifyWarning: std::fmt::Debug);
}

fn block_verify_report_keeps_its_shape() {
    field!(BlockVerifyReport::sst_files_scanned: usize);
    field!(BlockVerifyReport::blocks_scanned: usize);
    field!(BlockVerifyReport::errors: Vec<BlockVerifyError>);
    field!(BlockVerifyReport::warnings: Vec<BlockVerifyWarning>);
    let _: fn(&BlockVerifyReport) -> bool = BlockVerifyReport::is_ok;
    let _: fn(&BlockVerifyReport) -> bool = BlockVerifyReport::has_warnings;
    has!(BlockVerifyReport: std::fmt::Debug);
    has!(BlockVerifyReport: Default);
}

fn verify_options_keeps_its_shape() {
    field!(VerifyOptions::parallelism: usize);
    field!(VerifyOptions::throttle: Option<Duration>);
    let _: fn(VerifyOptions, usize) -> VerifyOptions = VerifyOptions::parallelism;
    let _: fn(VerifyOptions, Duration) -> VerifyOptions = VerifyOptions::throttle;
    has!(VerifyOptions: Clone);
    has!(VerifyOptions: std::fmt::Debug);
    has!(VerifyOptions: Default);
}

fn verify_block_checksums_keeps_its_shape() {
    let _: fn(&AnyTree) -> BlockVerifyReport = verify_block_checksums;
}

fn verify_block_checksums_with_keeps_its_shape() {
    let _: fn(&AnyTree, &VerifyOptions) -> BlockVerifyReport = verify_block_checksums_with;
}

fn verify_kv_checksums_keeps_its_shape() {
    let _: fn(&AnyTree) -> Result<()> = verify_kv_checksums;
}

fn verify_sst_file_keeps_its_shape() {
    let _: fn(&Path) -> BlockVerifyReport = verify_sst_file;
}
