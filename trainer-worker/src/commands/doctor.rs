//! `trainer-worker doctor`.

use super::{bench, mebibytes, DeviceArgs, OutputArgs};
use anyhow::{Context, Result};
use openledger_engine::device;
use openledger_engine::export::compatibility::{findings, Finding, Severity};
use openledger_engine::export::PeftAdapter;
use openledger_engine::kernels::cpu;
use openledger_engine::peft::seeming;
use openledger_engine::report::memory;
use openledger_engine::train::on_training_threads;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

/// Arguments of `doctor`.
#[derive(clap::Args)]
#[command(
    after_help = "When the system stops a program for want of memory it sends SIGKILL, which no program can catch: the \
shell then shows 'Killed' and the exit code 137, and the kernel's log (dmesg) names the process. Lower \
per_device_train_batch_size or max_seq_length; `train --dry-run` shows the estimate beforehand.

Examples:
  trainer-worker doctor
  trainer-worker doctor --adapter adapter/
  trainer-worker doctor --device cuda"
)]
pub(crate) struct Args {
    /// An adapter: what this program, vLLM and llama.cpp will refuse of it.
    #[arg(long, value_name = "DIR|FILE", alias = "adapter-name-or-path")]
    adapter: Option<PathBuf>,
    /// A folder whose disk is checked, such as the one for adapters.
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
    /// Threads (all of the machine's by default).
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    output: OutputArgs,
}

fn cpu_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// Instruction sets of the processor that the engine has kernels for.
fn instruction_sets() -> Vec<&'static str> {
    #[allow(unused_mut)]
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let sets = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx512vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
        ];
        found.extend(sets.into_iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    found
}

pub(crate) fn run(args: Args) -> Result<()> {
    // One that was asked for must be there.
    args.device.arithmetic()?.device.open()?;
    let devices = device::found();
    let (threads, rate) = on_training_threads(args.threads, || {
        (rayon::current_num_threads(), bench::gemm_rate(512))
    })?;
    let sets = instruction_sets();
    let kernels = cpu::instructions().name();
    let available = memory::available();
    let disk = trainer_worker::runner::disk_free(&args.directory);
    let adapter = args
        .adapter
        .as_deref()
        .map(|path| PeftAdapter::look(path).with_context(|| format!("loading {}", path.display())))
        .transpose()?;
    let (adapter, problems) = adapter.map_or((None, Vec::new()), |(a, p)| (Some(a), p));
    let found = adapter.as_ref().map(|adapter| {
        let own = problems.iter().map(|problem| Finding {
            program: "trainer-worker",
            severity: Severity::Refused,
            message: problem.clone(),
        });
        let unmatched = adapter.unmatched().into_iter().map(|message| Finding {
            program: "trainer-worker",
            severity: Severity::Note,
            message,
        });
        own.chain(unmatched).chain(findings(adapter)).collect::<Vec<_>>()
    });
    // Everything is shown first; the exit code says that the adapter cannot be used here.
    let verdict = || -> Result<()> {
        let what = args.adapter.as_deref().unwrap_or(Path::new("")).display();
        seeming::refuse(&problems).with_context(|| format!("the adapter {what} is refused"))
    };
    if args.output.json() {
        let found: Option<Vec<Value>> = found.as_ref().map(|found| {
            found
                .iter()
                .map(|f| {
                    json!({
                        "program": f.program, "refused": f.severity == Severity::Refused,
                        "message": f.message,
                    })
                })
                .collect()
        });
        println!(
            "{}",
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "devices": devices
                    .iter()
                    .map(|(device, found)| {
                        json!({
                            "name": device.name(),
                            "usable": found.is_ok(),
                            "reason": found.as_ref().err().map(ToString::to_string),
                            "memory_bytes": device::memory(*device).map(|(_, total)| total),
                        })
                    })
                    .collect::<Vec<_>>(),
                "cpu": cpu_name(),
                "instruction_sets": sets,
                "kernels": kernels,
                "threads": threads,
                "gemm_gflops": rate / 1e9,
                "memory_bytes": memory::total(),
                "available_memory_bytes": available.as_ref().map(|a| a.bytes),
                "memory_limit": available.as_ref().map(|a| a.limit.clone()),
                "free_swap_bytes": available.as_ref().map(|a| a.swap),
                "free_disk_bytes": disk,
                "adapter": found,
            })
        );
        return verdict();
    }
    println!("Device    CPU: {}", cpu_name());
    for (device, found) in devices.iter().skip(1) {
        match (found, device::memory(*device)) {
            (Err(error), _) => println!("          {error}"),
            (Ok(()), Some((free, total))) => println!(
                "          {}: {} free of {}",
                device.name(),
                mebibytes(free),
                mebibytes(total)
            ),
            (Ok(()), None) => println!("          {}", device.name()),
        }
    }
    println!("Kernels   {kernels} (found: {})", sets.join(", "));
    println!("Threads   {threads}, {:.0} GFLOP/s in matrix products", rate / 1e9);
    if let Some(a) = &available {
        println!(
            "Memory    {} available of {}, by {}; {} of swap free",
            mebibytes(a.bytes),
            memory::total().map_or("an unknown size".to_owned(), mebibytes),
            a.limit,
            mebibytes(a.swap)
        );
    }
    if let Some(free) = disk {
        println!("Disk      {} free at {}", mebibytes(free), args.directory.display());
        if free < 1 << 30 {
            println!("          less than 1 GiB: checkpoints and merged models may not fit");
        }
    }
    if let (Some(adapter), Some(found)) = (&adapter, &found) {
        println!("Adapter   {} modules, ranks {:?}", adapter.modules.len(), adapter.ranks());
        for f in found {
            let word = match f.severity {
                Severity::Refused => "refuses",
                Severity::Note => "notes",
            };
            println!("          {} {word}: {}", f.program, f.message);
        }
        for program in ["trainer-worker", "vLLM", "llama.cpp"] {
            let refuses = |f: &&_| {
                let f: &Finding = f;
                f.program == program && f.severity == Severity::Refused
            };
            if !found.iter().any(|f| refuses(&f)) {
                println!("          {program} takes it");
            }
        }
    }
    verdict()
}
