//! Giving up everything but reading, writing and thinking.

use super::{Isolation, CPU_SECONDS, MEMORY};

/// Which layers are put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layers {
    pub(super) limits: bool,
    pub(super) namespace: bool,
    pub(super) seccomp: bool,
}

impl Layers {
    pub(super) const ALL: Self = Self { limits: true, namespace: true, seccomp: true };
}

/// Confines this process, which has one thread, for ever.
#[cfg(target_os = "linux")]
pub(super) fn confine(layers: Layers) -> std::io::Result<Isolation> {
    use rustix::process::{set_parent_process_death_signal, Signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    let namespace = layers.namespace && namespace();
    if layers.limits {
        limits()?;
    }
    let seccomp = layers.seccomp && seccomp();
    Ok(match (namespace, seccomp) {
        (true, _) => Isolation::UserNamespace,
        (false, true) => Isolation::Seccomp,
        (false, false) => Isolation::Limits,
    })
}

/// Confines this process as far as this system can.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn confine(layers: Layers) -> std::io::Result<Isolation> {
    if layers.limits {
        limits()?;
    }
    Ok(Isolation::Limits)
}

/// This system has no limits that are known here.
#[cfg(not(unix))]
pub(super) fn confine(_layers: Layers) -> std::io::Result<Isolation> {
    Ok(Isolation::Limits)
}

#[cfg(unix)]
fn limits() -> std::io::Result<()> {
    use rustix::process::{setrlimit, Resource, Rlimit};
    let limits = [
        (Resource::As, MEMORY, MEMORY),
        // The kernel sends SIGXCPU at the first, SIGKILL at the second.
        (Resource::Cpu, CPU_SECONDS, CPU_SECONDS + 1),
        (Resource::Core, 0, 0),
        // Standard input, output and errors are open: there is no fourth descriptor.
        (Resource::Nofile, 3, 3),
        (Resource::Nproc, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// A user and network namespace of its own, without any interface that is up.
#[cfg(target_os = "linux")]
fn namespace() -> bool {
    use rustix::thread::{unshare_unsafe, UnshareFlags};
    let flags =
        UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    // SAFETY: what makes `unshare` unsafe is `FILES` beside other threads; neither is here.
    #[allow(unsafe_code)]
    unsafe { unshare_unsafe(flags) }.is_ok()
}

/// Allows what a program needs that reads, allocates, writes and ends; the rest answers EPERM.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
fn seccomp() -> bool {
    use seccompiler::{apply_filter, BpfProgram, SeccompAction, SeccompFilter};
    let allowed = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_fstat,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_madvise,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_read,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        // What `abort` ends a program by.
        libc::SYS_tgkill,
        libc::SYS_write,
        libc::SYS_writev,
    ];
    let rules = allowed.into_iter().map(|call| (call, Vec::new())).collect();
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    let Ok(arch) = std::env::consts::ARCH.try_into() else { return false };
    SeccompFilter::new(rules, denied, SeccompAction::Allow, arch)
        .and_then(BpfProgram::try_from)
        .is_ok_and(|program| apply_filter(&program).is_ok())
}

/// This processor's system calls are not known here.
#[cfg(all(
    target_os = "linux",
    not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))
))]
fn seccomp() -> bool {
    false
}
