//! The part of the `wasm-opt` crate that `substrate-wasm-builder` uses, answered by the `wasm-opt`
//! program of the system's `binaryen` package.
//!
//! The published crate compiles Binaryen's C++ for twelve minutes on two cores. A runtime only needs
//! its debug sections dropped, which the packaged program does as well. Without the program the blob
//! is used as the compiler left it: larger, and just as correct, because code for `wasm32v1-none`
//! holds no sign-extension instructions that would have to be lowered.

use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    process::{Command, ExitStatus},
};

/// Passes that the wasm builder asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Drop DWARF sections.
    StripDwarf,
    /// Replace sign-extension instructions. The target `wasm32v1-none` emits none, and the packaged
    /// Binaryen does not know the pass, so nothing is run for it.
    SignextLowering,
}

/// Why no optimised blob was written.
#[derive(Debug, thiserror::Error)]
pub enum OptimizationError {
    /// A file could not be read or written.
    #[error("cannot copy the wasm blob: {0}")]
    Io(#[from] io::Error),
    /// `wasm-opt` ran and refused.
    #[error("wasm-opt ended with {0}; is binaryen at least version 108?")]
    Failed(ExitStatus),
}

/// A command line for `wasm-opt`.
#[derive(Clone, Debug, Default)]
pub struct OptimizationOptions {
    arguments: Vec<OsString>,
}

impl OptimizationOptions {
    /// Run passes without any optimisation level.
    pub fn new_opt_level_0() -> Self {
        Self { arguments: vec!["-O0".into()] }
    }

    /// Allow only the first WebAssembly version, with mutable globals as Rust emits them.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self.arguments.push("--mvp-features".into());
        self.arguments.push("--enable-mutable-globals".into());
        self
    }

    /// Keep the name section.
    pub fn debug_info(&mut self, keep: bool) -> &mut Self {
        if keep {
            self.arguments.push("--debuginfo".into());
        }
        self
    }

    /// Add one pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        match pass {
            Pass::StripDwarf => self.arguments.push("--strip-dwarf".into()),
            Pass::SignextLowering => {}
        }
        self
    }

    /// Read `input`, write `output`.
    ///
    /// # Errors
    ///
    /// When `wasm-opt` refuses the blob, or when the copy made in its absence fails.
    pub fn run(
        &self,
        input: impl AsRef<Path>,
        output: impl AsRef<Path>,
    ) -> Result<(), OptimizationError> {
        let (input, output) = (input.as_ref(), output.as_ref());
        match Command::new("wasm-opt")
            .args(&self.arguments)
            .arg(input)
            .arg("-o")
            .arg(output)
            .status()
        {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(OptimizationError::Failed(status)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!(
                    "cargo:warning=wasm-opt is not installed: the runtime blob stays unstripped"
                );
                if input != output {
                    fs::copy(input, output)?;
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
