//! Checkpoints whose weights are published in 8-bit floating point, as DeepSeek V3's and Qwen's are:
//! `quantization_config` in `config.json`, weights of type `F8_E4M3`, and beside each its scales. They
//! are dequantised when they are loaded; activations are not quantised, whatever the file says.

use super::config::bad;
use super::hf::to_f32;
use crate::error::{read_bounded, Error, Result};
use crate::kernels::fp8;
use safetensors::Dtype;
use serde_json::Value;
use std::path::Path;

/// Largest side of a block of weights that share a scale.
const MAX_BLOCK: usize = 1 << 20;

/// How a checkpoint's weights are quantised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Quantization {
    /// Whether there are weights in 8-bit floating point.
    pub(crate) float8: bool,
    /// Rows and columns of the blocks that share a scale, where the configuration names them.
    block: Option<(usize, usize)>,
}

impl Quantization {
    /// Reads `quantization_config`.
    ///
    /// # Errors
    /// For every method but those whose weights are 8-bit floating point with scales.
    pub(crate) fn from_config(config: &Value) -> Result<Self> {
        let Some(settings) = config.get("quantization_config").filter(|v| !v.is_null()) else {
            return Ok(Self::default());
        };
        let text = |field: &str| settings.get(field).and_then(Value::as_str).unwrap_or("");
        let method = match settings.get("quant_method") {
            // bitsandbytes' first configurations do not name themselves.
            None if settings.get("load_in_4bit").or(settings.get("load_in_8bit")).is_some() => {
                "bitsandbytes"
            }
            _ => text("quant_method"),
        };
        let float8 = match method {
            "fp8" => {
                matches!(text("fmt"), "" | "e4m3") && matches!(text("expert_dtype"), "" | "fp8")
            }
            "fbgemm_fp8" => true,
            "compressed-tensors" => text("format") == "float-quantized",
            "modelopt" => text("quant_algo") == "FP8",
            _ => false,
        };
        if !float8 {
            let shown = if method.is_empty() { settings.to_string() } else { method.to_owned() };
            let problem = "weights quantised this way are not read: take the model's unquantised \
                           checkpoint (QLoRA quantises it to NF4 when it is loaded), its FP8 one or \
                           a GGUF file";
            return Err(bad("quantization_config.quant_method", shown, problem));
        }
        let block = match settings.get("weight_block_size").filter(|v| !v.is_null()) {
            None => None,
            Some(sides) => {
                let side = |i: usize| {
                    sides.get(i).and_then(Value::as_u64).and_then(|v| usize::try_from(v).ok())
                };
                let plausible = |v: &usize| (1..=MAX_BLOCK).contains(v);
                let two = sides.as_array().is_some_and(|s| s.len() == 2);
                let block = side(0).filter(plausible).zip(side(1).filter(plausible));
                Some(block.filter(|_| two).ok_or_else(|| {
                    let problem = format!("must be two sides of 1 to {MAX_BLOCK}");
                    bad("quantization_config.weight_block_size", sides, problem)
                })?)
            }
        };
        Ok(Self { float8, block })
    }

    /// That of a model's folder; none where it has no readable `config.json`.
    pub(crate) fn of_folder(dir: &Path) -> Result<Self> {
        let path = dir.join("config.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(&read_bounded(&path, 1 << 20)?) {
            Ok(config) => Self::from_config(&config),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Whether a tensor only serves to read others, or to quantise activations or a cache.
    pub(crate) fn is_scale(self, name: &str) -> bool {
        let last = name.rsplit('.').next().unwrap_or(name);
        self.float8
            && (last.ends_with("_scale_inv")
                || last.ends_with("_scale")
                || last.ends_with("_scale_ub"))
    }

    /// The values of a tensor of type `F8_E4M3`, `[…, rows, columns]`.
    pub(crate) fn dequantise(
        self,
        name: &str,
        shape: &[usize],
        bytes: &[u8],
        scales: &Scales<'_>,
    ) -> Result<Vec<f32>> {
        let fail = |problem: String| Error::weight(name, problem);
        let [stack @ .., rows, cols] = shape else {
            return Err(fail(format!("has the shape {shape:?} and 8 bits a value; not a matrix")));
        };
        let (rows, cols) = (*rows, *cols);
        // The file's reader has compared shapes and bytes.
        let values: usize = shape.iter().product();
        if bytes.len() != values {
            return Err(fail(format!("has {} bytes for the shape {shape:?}", bytes.len())));
        }
        if values == 0 {
            return Ok(Vec::new());
        }
        let factors = scales.values(name)?;
        let matrices: usize = stack.iter().product();
        let each = factors.len() / matrices;
        let block = match (self.block, scales.shape) {
            _ if each * matrices != factors.len() => None,
            // One for the whole matrix, one for each row, or one for each block.
            _ if each == 1 => Some((rows, cols)),
            (Some((r, c)), [.., down, across])
                if (*down, *across) == (rows.div_ceil(r), cols.div_ceil(c)) =>
            {
                Some((r, c))
            }
            (None, [.., down, 1] | [down]) if *down == rows => Some((1, cols)),
            _ => None,
        };
        let block = block.filter(|b| each == rows.div_ceil(b.0) * cols.div_ceil(b.1));
        let block = block.ok_or_else(|| {
            let blocks = self.block.map_or("no blocks".to_owned(), |b| format!("blocks of {b:?}"));
            fail(format!("of shape {shape:?} has scales {:?} with {blocks}", scales.shape))
        })?;
        let parts = bytes.chunks_exact(rows * cols).zip(factors.chunks_exact(each));
        let mut out = Vec::with_capacity(values);
        for (bytes, factors) in parts {
            out.extend(fp8::dequantise(bytes, cols, factors, block));
        }
        if out.iter().any(|v| !v.is_finite()) {
            return Err(fail("holds values that are not finite".to_owned()));
        }
        Ok(out)
    }
}

/// The names under which a weight's scales are looked for. Both are multiplied with, the first
/// despite its name.
pub(crate) fn scale_names(weight: &str) -> [String; 2] {
    match weight.strip_suffix(".weight") {
        Some(module) => [format!("{module}.weight_scale_inv"), format!("{module}.weight_scale")],
        None => [format!("{weight}_scale_inv"), format!("{weight}_scale")],
    }
}

/// A weight of 8 bits without scales.
pub(crate) fn no_scales(weight: &str) -> Error {
    let [first, second] = scale_names(weight);
    Error::weight(weight, format!("has 8 bits a value and no scales ({first} or {second})"))
}

/// A weight's scales as they lie in the file.
pub(crate) struct Scales<'a> {
    /// Type.
    pub(crate) dtype: Dtype,
    /// Dimensions, slowest first.
    pub(crate) shape: &'a [usize],
    /// Values.
    pub(crate) bytes: &'a [u8],
}

impl Scales<'_> {
    fn values(&self, weight: &str) -> Result<Vec<f32>> {
        let values = match self.dtype {
            // Powers of two alone: an exponent with bias 127.
            Dtype::F8_E8M0 => {
                let power = |b: &u8| scale_of_exponent(*b);
                self.bytes.iter().map(power).collect()
            }
            dtype => to_f32(weight, dtype, self.bytes)?,
        };
        if values.iter().any(|s| !(s.is_finite() && *s >= 0.0)) {
            return Err(Error::weight(weight, "has scales that are negative or not finite"));
        }
        Ok(values)
    }
}

fn scale_of_exponent(byte: u8) -> f32 {
    match byte {
        // Subnormal in f32.
        0 => f32::from_bits(1 << 22),
        255 => f32::NAN,
        exponent => f32::from_bits(u32::from(exponent) << 23),
    }
}
