//! Weights in few bits: dequantisation against candle and bitsandbytes, products equal to the dense
//! ones, and integer products that do not depend on the CPU.

use crate::common::{golden, random};
use candle_core::quantized::{ggml_file::qtensor_from_ggml, GgmlDType};
use candle_core::Device;
use openledger_engine::kernels::linear::FrozenLinear;
use openledger_engine::kernels::quant::nf4::{Magnitudes, Nf4, DYNAMIC_MAP};
use openledger_engine::kernels::quant::{Activations, BlockType, Isa, Packed, QuantMatrix};
use openledger_engine::kernels::rng::Stream;
use serde_json::Value;

fn candle_type(block_type: BlockType) -> GgmlDType {
    match block_type {
        BlockType::F32 => GgmlDType::F32,
        BlockType::F16 => GgmlDType::F16,
        BlockType::BF16 => GgmlDType::BF16,
        BlockType::Q4_0 => GgmlDType::Q4_0,
        BlockType::Q4_1 => GgmlDType::Q4_1,
        BlockType::Q5_0 => GgmlDType::Q5_0,
        BlockType::Q5_1 => GgmlDType::Q5_1,
        BlockType::Q8_0 => GgmlDType::Q8_0,
        BlockType::Q2K => GgmlDType::Q2K,
        BlockType::Q3K => GgmlDType::Q3K,
        BlockType::Q4K => GgmlDType::Q4K,
        BlockType::Q5K => GgmlDType::Q5K,
        BlockType::Q6K => GgmlDType::Q6K,
    }
}

/// Places of the half-precision scales in a block.
fn scales(block_type: BlockType) -> &'static [usize] {
    match block_type {
        BlockType::F32 | BlockType::F16 | BlockType::BF16 => &[],
        BlockType::Q4_0 | BlockType::Q5_0 | BlockType::Q8_0 => &[0],
        BlockType::Q4_1 | BlockType::Q5_1 | BlockType::Q4K | BlockType::Q5K => &[0, 2],
        BlockType::Q2K => &[80, 82],
        BlockType::Q3K => &[108],
        BlockType::Q6K => &[208],
    }
}

/// Random blocks: any codes, scales of either sign, among them zero and a subnormal one.
fn random_blocks(block_type: BlockType, len: usize, seed: u64) -> Vec<u8> {
    let mut stream = Stream::new(seed, "blocks", &[]);
    let mut next = |below: f32| (stream.uniform() * below) as u32;
    let mut bytes: Vec<u8> =
        (0..block_type.bytes_for(len).expect("whole blocks")).map(|_| next(256.0) as u8).collect();
    for (i, block) in bytes.chunks_mut(block_type.block_bytes()).enumerate() {
        let value = next(2000.0) as f32 / 50_000.0 - 0.02;
        match block_type {
            BlockType::F32 => block.copy_from_slice(&value.to_le_bytes()),
            BlockType::BF16 => block[1] &= 0xbf,
            BlockType::F16 => block[1] &= 0xbf,
            _ => {
                for at in scales(block_type) {
                    let bits = match i {
                        3 => 0,
                        5 => 0x8123,
                        _ => half::f16::from_f32(value).to_bits(),
                    };
                    block[*at..*at + 2].copy_from_slice(&bits.to_le_bytes());
                }
            }
        }
    }
    bytes
}

fn matrix(block_type: BlockType, rows: usize, cols: usize, seed: u64) -> QuantMatrix {
    let bytes = random_blocks(block_type, rows * cols, seed);
    QuantMatrix::from_blocks(block_type, bytes, rows, cols).expect("a matrix")
}

#[test]
fn every_block_type_is_dequantised_to_candles_bits() {
    for block_type in BlockType::ALL {
        let (rows, cols) = (37, 256);
        let bytes = random_blocks(block_type, rows * cols, 3);
        let tensor =
            qtensor_from_ggml(candle_type(block_type), &bytes, vec![rows, cols], &Device::Cpu)
                .expect("candle reads it");
        let theirs = tensor.dequantize(&Device::Cpu).and_then(|t| t.flatten_all()).expect("values");
        let theirs = theirs.to_vec1::<f32>().expect("values");
        let matrix = QuantMatrix::from_blocks(block_type, bytes, rows, cols).expect("a matrix");
        let ours = matrix.to_dense();
        let differs = ours.iter().zip(&theirs).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(differs, None, "{block_type:?}");
        assert!(ours.iter().any(|v| *v != 0.0));
        let mut row = vec![0f32; cols];
        matrix.dequantise(&mut row, 20);
        assert_eq!(row, ours[20 * cols..21 * cols], "{block_type:?}");
        assert_eq!(BlockType::from_code(block_type.code()), Some(block_type));
    }
}

#[test]
fn every_half_precision_number_keeps_its_value() {
    for bits in 0..=u16::MAX {
        let (ours, theirs) =
            (openledger_engine::kernels::quant::blocks::half(bits), half::f16::from_bits(bits));
        if theirs.is_nan() {
            assert!(ours.is_nan());
        } else {
            assert_eq!(ours.to_bits(), theirs.to_f32().to_bits(), "{bits:#06x}");
        }
    }
}

#[test]
fn weights_that_do_not_fit_or_are_not_finite_are_refused() {
    let refused = |block_type, bytes: Vec<u8>, rows, cols| {
        QuantMatrix::from_blocks(block_type, bytes, rows, cols).expect_err("refused")
    };
    assert!(refused(BlockType::Q4_0, vec![0; 18], 1, 33).contains("33"));
    assert!(refused(BlockType::Q4_0, vec![0; 17], 1, 32).contains("17 bytes"));
    assert!(refused(BlockType::Q4_0, vec![], 1, 0).contains('0'));
    let mut infinite = vec![0u8; 18];
    infinite[1] = 0x7c;
    infinite[2] = 0x0f;
    assert!(refused(BlockType::Q4_0, infinite, 1, 32).contains("finite"));
    assert!(QuantMatrix::from_dense_nf4(&[0.0; 6], 2, 4, true).is_err());
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).expect("numbers")
}

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hexadecimal")).expect("hexadecimal")
}

#[test]
fn nf4_equals_bitsandbytes() {
    let text = std::fs::read_to_string(golden("nf4.json")).expect("golden file");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let shape: [usize; 2] = serde_json::from_value(case["shape"].clone()).expect("a shape");
        let scale = floats(&serde_json::json!([case["scale"]]))[0];
        let values: Vec<f32> = (0..(shape[0] * shape[1]) as i64)
            .map(|i| {
                let step = (i * i * 31 + i * 17) % 1021 - 510;
                let value = (step * (1 + i / 64 % 7)) as f32 / 1024.0 * scale;
                if (640..704).contains(&i) {
                    0.0
                } else {
                    value
                }
            })
            .collect();
        let nf4 = Nf4::quantise(&values, case["double_quant"] == true);
        assert_eq!(nf4.codes, hex(&case["codes"]));
        match &nf4.magnitudes {
            Magnitudes::Plain(magnitudes) => assert_eq!(*magnitudes, floats(&case["magnitudes"])),
            Magnitudes::Double { codes, scales, offset } => {
                assert_eq!(DYNAMIC_MAP.to_vec(), floats(&case["map"]));
                // PyTorch's mean is summed in another order.
                let theirs = floats(&serde_json::json!([case["offset"]]))[0];
                assert!((offset - theirs).abs() <= theirs * 1e-6, "{offset} and {theirs}");
                for (a, b) in scales.iter().zip(floats(&case["scales"])) {
                    assert!((a - b).abs() <= b * 1e-6, "{a} and {b}");
                }
                assert_eq!(*codes, hex(&case["magnitude_codes"]));
            }
        }
        let mut ours = vec![0f32; values.len()];
        nf4.dequantise(&mut ours, 0);
        for (a, b) in ours.iter().step_by(37).zip(floats(&case["dequantised_every_37th"])) {
            assert!((a - b).abs() <= b.abs() * 1e-6, "{a} and {b}");
        }
        let mut part = vec![0f32; 100];
        nf4.dequantise(&mut part, 33);
        assert_eq!(part, ours[33..133], "from the middle of a byte and of a block");
    }
}

#[test]
fn products_with_a_quantised_weight_equal_those_with_its_values() {
    let cases = [
        (matrix(BlockType::Q4_1, 1100, 576, 1), 37),
        (matrix(BlockType::Q6K, 530, 1024, 2), 5),
        (matrix(BlockType::Q8_0, 96, 1536, 3), 130),
        (QuantMatrix::from_dense_nf4(&random(4, 600 * 72, 0.1), 600, 72, true).expect("NF4"), 20),
    ];
    for (matrix, tokens) in cases {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        assert!(matrix.panel_rows() % 512 == 0);
        let dense = FrozenLinear::new(matrix.to_dense(), rows, cols).expect("a dense weight");
        let bias = random(5, rows, 1.0);
        let dense = dense.with_bias(bias.clone()).expect("a bias");
        let quantised = FrozenLinear::quantised(matrix).with_bias(bias).expect("a bias");
        assert!(quantised.bytes() * 3 < dense.bytes());
        for tokens in [tokens, 1] {
            let x = random(6, tokens * cols, 1.0);
            let mut y = [vec![0f32; tokens * rows], vec![0f32; tokens * rows]];
            dense.forward(&mut y[0], &x, tokens);
            quantised.forward(&mut y[1], &x, tokens);
            assert!(y[0] == y[1], "forward of {rows} × {cols}, {tokens} tokens");
            for accumulate in [false, true] {
                let mut dx = [random(7, tokens * cols, 1.0), random(7, tokens * cols, 1.0)];
                dense.backward(&mut dx[0], &y[0], tokens, accumulate);
                quantised.backward(&mut dx[1], &y[0], tokens, accumulate);
                assert!(dx[0] == dx[1], "backward of {rows} × {cols}, {tokens} tokens");
            }
        }
    }
}

#[test]
fn integer_products_give_the_same_bits_with_every_instruction_set() {
    let isas = Isa::available();
    println!("{}", isas.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", "));
    assert_eq!(isas.last(), Some(&Isa::best()));
    let types = [BlockType::Q4_0, BlockType::Q4_1, BlockType::Q8_0, BlockType::Q4K, BlockType::Q6K];
    for block_type in types {
        // Rows that leave the last group incomplete, tokens that leave the last tile so.
        let (rows, cols, tokens) = (45, 512, 7);
        let bytes = random_blocks(block_type, rows * cols, 9);
        let packed = Packed::new(block_type, &bytes, rows, cols).expect("an integer layout");
        let matrix = QuantMatrix::from_blocks(block_type, bytes, rows, cols).expect("a matrix");
        assert!(packed.bytes() <= matrix.bytes() * 48 / 45 * 21 / 20 + 4096, "no larger");
        let x = random(10, tokens * cols, 2.0);
        let mut activations = Activations::default();
        activations.quantise(&x, tokens, cols);
        let mut exact = vec![0f32; tokens * rows];
        matrix.forward(&mut exact, &x, tokens);
        let mut first: Option<Vec<f32>> = None;
        for isa in &isas {
            let mut y = vec![0f32; tokens * rows];
            packed.product(*isa, &mut y, &activations);
            // One token at a time gives what all together do.
            for (token, y) in y.chunks(rows).enumerate() {
                for (group, y) in y.chunks(16).enumerate() {
                    let alone = packed.group_product(*isa, group, &activations, token);
                    assert_eq!(&alone[..y.len()], y, "{block_type:?} {isa:?}");
                }
            }
            let error: f64 = y.iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let size: f64 = exact.iter().map(|a| f64::from(*a).powi(2)).sum();
            assert!((error / size).sqrt() < 2e-4, "{block_type:?} {isa:?}");
            match &first {
                Some(first) => assert!(*first == y, "{block_type:?} {isa:?}"),
                None => first = Some(y),
            }
        }
    }
}

#[test]
fn greatest_codes_do_not_overflow() {
    // Codes of 255 (or -128) times activations of ±127, in all columns.
    for (block_type, code) in
        [(BlockType::Q8_0, 0x80), (BlockType::Q8_0, 0x7f), (BlockType::Q4_1, 0xff)]
    {
        let mut bytes = vec![code; block_type.bytes_for(64).expect("blocks")];
        for block in bytes.chunks_mut(block_type.block_bytes()) {
            for at in scales(block_type) {
                block[*at..*at + 2].copy_from_slice(&half::f16::ONE.to_le_bytes());
            }
        }
        let packed = Packed::new(block_type, &bytes, 1, 64).expect("packed");
        let mut dense = vec![0f32; 64];
        block_type.dequantise(&mut dense, &bytes);
        let mut activations = Activations::default();
        activations.quantise(&[127.0; 64], 1, 64);
        let expected: f32 = dense.iter().sum::<f32>() * 127.0;
        for isa in Isa::available() {
            assert_eq!(packed.group_product(isa, 0, &activations, 0)[0], expected, "{isa:?}");
        }
    }
}
