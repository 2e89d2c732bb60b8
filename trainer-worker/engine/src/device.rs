//! Where a model is trained and evaluated, and in which arithmetic.
//!
//! On [`Device::Cpu`] the engine's own kernels run, whose every sum has a defined order: the same
//! seed gives the same bytes on every machine (docs/arithmetic.md). On the others the
//! [graph](crate::model::graph) runs in candle's operations, whose sums have an order of their own
//! for each device: close to the CPU's result, and not equal to it.

use crate::error::{Error, Result};
use candle_core::DType;

/// A device to train and evaluate on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The processor, with the engine's own kernels: reproducible to the bit.
    #[default]
    Cpu,
    /// The processor, with candle's operations: what runs on a GPU, where there is none. For tests
    /// and comparison; slower than [`Device::Cpu`].
    CandleCpu,
    /// An NVIDIA GPU by its number; needs the feature `cuda`.
    Cuda(usize),
    /// A GPU of Apple's by its number; needs the feature `metal`.
    Metal(usize),
}

impl Device {
    /// The device of a name: `cpu`, `candle-cpu`, `cuda`, `cuda:N`, `metal` or `metal:N`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for other names.
    pub fn from_name(name: &str) -> Result<Self> {
        let unknown = || Error::Setting {
            name: "device",
            value: name.to_owned(),
            range: "cpu, cuda, cuda:N, metal or candle-cpu".to_owned(),
        };
        let (kind, number) = match name.split_once(':') {
            Some((kind, number)) => (kind, number.parse().ok().filter(|n| *n < 1024)),
            None => (name, Some(0)),
        };
        match (kind, number, name.contains(':')) {
            ("cpu", _, false) => Ok(Self::Cpu),
            ("candle-cpu", _, false) => Ok(Self::CandleCpu),
            ("cuda", Some(number), _) => Ok(Self::Cuda(number)),
            ("metal", Some(number), _) => Ok(Self::Metal(number)),
            _ => Err(unknown()),
        }
    }

    /// Its name, with a number where there can be several.
    pub fn name(self) -> String {
        match self {
            Self::Cpu => "cpu".to_owned(),
            Self::CandleCpu => "candle-cpu".to_owned(),
            Self::Cuda(number) => format!("cuda:{number}"),
            Self::Metal(number) => format!("metal:{number}"),
        }
    }

    /// The first device of its kind: what a checkpoint remembers.
    pub(crate) fn kind(self) -> Self {
        match self {
            Self::Cuda(_) => Self::Cuda(0),
            Self::Metal(_) => Self::Metal(0),
            other => other,
        }
    }

    /// Whether the same seed gives the same bytes on every machine.
    pub fn is_reproducible(self) -> bool {
        self == Self::Cpu
    }

    /// Whether its memory is the machine's.
    pub fn uses_host_memory(self) -> bool {
        matches!(self, Self::Cpu | Self::CandleCpu)
    }

    /// Refuses a device that this program was built without.
    ///
    /// # Errors
    ///
    /// [`Error::NotBuilt`], which names the feature to build with.
    pub fn check_built(self) -> Result<()> {
        let feature = match self {
            Self::Cuda(_) if !cfg!(feature = "cuda") => "cuda",
            Self::Metal(_) if !cfg!(feature = "metal") => "metal",
            _ => return Ok(()),
        };
        Err(Error::NotBuilt { device: self.name(), feature })
    }

    /// The device as candle knows it; nothing for [`Device::Cpu`], which needs none.
    ///
    /// # Errors
    ///
    /// [`Error::NotBuilt`], and [`Error::Device`] when the machine has no such device or its driver
    /// does not answer.
    pub fn open(self) -> Result<Option<candle_core::Device>> {
        self.check_built()?;
        let opened = match self {
            Self::Cpu => return Ok(None),
            Self::CandleCpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(number) => guarded(|| candle_core::Device::new_cuda(number)),
            Self::Metal(number) => guarded(|| candle_core::Device::new_metal(number)),
        };
        opened.map(Some).map_err(|reason| Error::Device { device: self.name(), reason })
    }
}

/// Opens a device; a driver's binding that panics, as it may where a library is missing, is an error
/// as well.
fn guarded(
    open: impl FnOnce() -> candle_core::Result<candle_core::Device> + std::panic::UnwindSafe,
) -> std::result::Result<candle_core::Device, String> {
    match std::panic::catch_unwind(open) {
        // A backtrace may follow on further lines.
        Ok(opened) => opened.map_err(|e| e.to_string().lines().take(1).collect()),
        Err(_) => Err("its driver could not be loaded".to_owned()),
    }
}

/// In which type the base model and the residual stream are computed. Adapters, their gradients, the
/// optimiser, normalisations, softmax and the loss are always `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dtype {
    /// 32 bits.
    #[default]
    F32,
    /// The upper half of `f32`: what GPUs train in.
    BF16,
    /// IEEE half precision: overflows above 65504.
    F16,
}

impl Dtype {
    /// The type of a name: `f32`, `bf16` or `f16`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for other names.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "f32" | "float32" => Ok(Self::F32),
            "bf16" | "bfloat16" => Ok(Self::BF16),
            "f16" | "fp16" | "float16" => Ok(Self::F16),
            other => Err(Error::Setting {
                name: "dtype",
                value: other.to_owned(),
                range: "f32, bf16 or f16".to_owned(),
            }),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::BF16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// Bytes of a value.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::BF16 | Self::F16 => 2,
        }
    }

    /// The type as candle knows it.
    pub fn candle(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::BF16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }
}

/// Where a run computes, and in which type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arithmetic {
    /// The device.
    pub device: Device,
    /// The type of base model and residual stream; the CPU's own kernels know `f32` only.
    pub dtype: Dtype,
}

impl Arithmetic {
    /// Refuses what cannot be: a device that this program was built without, and a type that the
    /// device does not compute in.
    ///
    /// # Errors
    ///
    /// [`Error::NotBuilt`] and [`Error::Setting`].
    pub fn validate(self) -> Result<()> {
        self.device.check_built()?;
        if self.device == Device::Cpu && self.dtype != Dtype::F32 {
            return Err(Error::Setting {
                name: "dtype",
                value: self.dtype.name().to_owned(),
                range:
                    "f32 on the CPU, whose kernels are defined to the bit; bf16 and f16 are for \
                        device cuda, metal or candle-cpu"
                        .to_owned(),
            });
        }
        Ok(())
    }
}

/// The devices that this program can use on this machine, each with what it is or why it cannot be
/// used.
pub fn found() -> Vec<(Device, std::result::Result<(), Error>)> {
    [Device::Cpu, Device::CandleCpu, Device::Cuda(0), Device::Metal(0)]
        .into_iter()
        .map(|device| (device, device.open().map(|_| ())))
        .collect()
}

/// Free and total bytes of a device's own memory, where it has one and that can be told.
pub fn memory(device: Device) -> Option<(u64, u64)> {
    own_memory(&device.open().ok()??)
}

#[cfg(feature = "cuda")]
fn own_memory(device: &candle_core::Device) -> Option<(u64, u64)> {
    use candle_core::cuda_backend::cudarc::driver::result::mem_get_info;
    if !device.is_cuda() {
        return None;
    }
    // Binds the device's context to this thread.
    device.synchronize().ok()?;
    mem_get_info().ok().map(|(free, total)| (free as u64, total as u64))
}

#[cfg(not(feature = "cuda"))]
fn own_memory(_device: &candle_core::Device) -> Option<(u64, u64)> {
    None
}
