//! What a worker process does to itself before it reads a byte: limits, no file system, few system calls.
//!
//! Everything is asked of the kernel in turn, and what it does not have is reported, never assumed.

use std::ffi::OsString;
use std::process::ExitCode;

use super::Protections;

/// Sets the limits that a worker and ffmpeg share: memory, CPU time, no files to write, no core dump, an end with
/// the parent. With `cpu_is_renewed` the parent can raise the limit on CPU time later, and the worker itself cannot:
/// the call for it is among those that the seal refuses.
pub(super) fn limits(memory_bytes: u64, cpu_s: u64, cpu_is_renewed: bool) -> Protections {
    let limits = system::limits(memory_bytes, cpu_s, cpu_is_renewed);
    Protections { limits, landlock: "none".to_owned(), seccomp: false }
}

/// Sets the CPU time, in seconds from its start, after which the worker with this process id is ended. Only for
/// workers that were started with a limit that is renewed.
pub(super) fn renew_cpu(worker: u32, cpu_s: u64) {
    system::renew_cpu(worker, cpu_s);
}

/// Closes the file system and all system calls but those of decoding.
pub(super) fn seal(before: &Protections) -> Protections {
    let landlock = system::close_file_system(&[]).to_owned();
    Protections { limits: before.limits, landlock, seccomp: system::few_calls() }
}

/// Replaces this process by ffmpeg (`arguments[0]`), which may read programs and libraries and its stdin, and has
/// no network. Returns only on failure.
pub(super) fn become_ffmpeg(arguments: &[OsString]) -> ExitCode {
    use std::os::unix::process::CommandExt as _;
    let Some((program, rest)) = arguments.split_first() else { return ExitCode::FAILURE };
    system::close_file_system(&[std::path::Path::new(program)]);
    system::no_network();
    let error = std::process::Command::new(program).args(rest).exec();
    eprintln!("cannot run {}: {error}", program.display());
    ExitCode::FAILURE
}

/// Returns the seconds of CPU time that a worker has used, where the system tells: the signal at its limit can be
/// ignored by a worker that was taken over.
pub(super) fn cpu_used_s(worker: u32) -> Option<u64> {
    system::cpu_used_s(worker)
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;
    use std::path::Path;

    use landlock::{
        ABI, Access as _, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        RulesetStatus,
    };
    use rustix::process::{Resource, Rlimit, Signal};
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    pub(super) fn limits(memory_bytes: u64, cpu_s: u64, cpu_is_renewed: bool) -> bool {
        let set = |resource, most| {
            rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
        };
        // The first signal at the limit can be told from a kill; the second cannot be ignored.
        let cpu = |most: u64| {
            let maximum = if cpu_is_renewed { hard_cpu() } else { Some(most.saturating_add(2)) };
            let limit = Rlimit { current: Some(most), maximum };
            rustix::process::setrlimit(Resource::Cpu, limit).is_ok()
        };
        let done = [
            set(Resource::As, memory_bytes),
            cpu(cpu_s),
            set(Resource::Fsize, 0),
            set(Resource::Core, 0),
            set(Resource::Nofile, 64),
        ];
        // A parent that is killed takes its workers with it.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        done.into_iter().all(|done| done)
    }

    pub(super) fn renew_cpu(worker: u32, cpu_s: u64) {
        // A worker that has just ended needs no limit any more.
        if let Some(pid) = i32::try_from(worker).ok().and_then(rustix::process::Pid::from_raw) {
            let limit = Rlimit { current: Some(cpu_s), maximum: hard_cpu() };
            let _ = rustix::process::prlimit(Some(pid), Resource::Cpu, limit);
        }
    }

    /// The limit on CPU time that this process was given itself, and hands on.
    fn hard_cpu() -> Option<u64> {
        rustix::process::getrlimit(Resource::Cpu).maximum
    }

    pub(super) fn cpu_used_s(worker: u32) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).ok()?;
        // After the name, which may hold anything, in brackets: user and system time are the 12th and 13th (proc(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let ticks = fields.next()?.parse::<u64>().ok()?.checked_add(fields.next()?.parse().ok()?)?;
        Some(ticks / rustix::param::clock_ticks_per_second().max(1))
    }

    /// Folders that a dynamically linked ffmpeg reads on the common distributions.
    const LIBRARIES: [&str; 8] =
        ["/usr", "/lib", "/lib64", "/lib32", "/opt", "/nix/store", "/etc/ld.so.cache", "/etc/alternatives"];

    /// Forbids all access to files by name, but for reading and running `programs` and the libraries, if there
    /// are any, and for reading what stdin is. Returns how far the kernel went along.
    pub(super) fn close_file_system(programs: &[&Path]) -> &'static str {
        let closed = || -> Option<RulesetStatus> {
            let abi = ABI::V5;
            let mut rules = Ruleset::default().handle_access(AccessFs::from_all(abi)).ok()?.create().ok()?;
            if !programs.is_empty() {
                let read = AccessFs::from_read(abi);
                for path in programs.iter().copied().chain(LIBRARIES.iter().map(Path::new)) {
                    let Ok(path) = PathFd::new(path) else { continue };
                    rules = rules.add_rule(PathBeneath::new(path, read)).ok()?;
                }
                rules = rules.add_rule(PathBeneath::new(std::io::stdin(), AccessFs::ReadFile)).ok()?;
            }
            Some(rules.restrict_self().ok()?.ruleset)
        };
        match closed() {
            Some(RulesetStatus::FullyEnforced) => "full",
            Some(RulesetStatus::PartiallyEnforced) => "partial",
            _ => "none",
        }
    }

    /// The system calls of decoding: reading, writing, memory, time, ending.
    const CALLS: [libc::c_long; 47] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_pread64,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_lseek,
        libc::SYS_close,
        libc::SYS_dup,
        libc::SYS_fcntl,
        libc::SYS_fstat,
        libc::SYS_statx,
        libc::SYS_newfstatat,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_gettimeofday,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_getuid,
        libc::SYS_geteuid,
        libc::SYS_getgid,
        libc::SYS_getegid,
        libc::SYS_getcwd,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_ppoll,
        libc::SYS_uname,
        libc::SYS_sysinfo,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Refuses all system calls but those of decoding. Returns whether the kernel went along.
    pub(super) fn few_calls() -> bool {
        let filter = SeccompFilter::new(
            rules(&CALLS),
            SeccompAction::Errno(libc::EPERM as u32),
            SeccompAction::Allow,
            ARCH,
        );
        install(filter)
    }

    /// What an ffmpeg that was taken over would use to get out, and ffmpeg itself never.
    const ESCAPES: [libc::c_long; 22] = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_userfaultfd,
    ];

    /// Refuses the network and the ways into other processes.
    pub(super) fn no_network() -> bool {
        install(SeccompFilter::new(
            rules(&ESCAPES),
            SeccompAction::Allow,
            SeccompAction::Errno(libc::EPERM as u32),
            ARCH,
        ))
    }

    type Rules = BTreeMap<i64, Vec<seccompiler::SeccompRule>>;

    fn rules(calls: &[libc::c_long]) -> Rules {
        calls.iter().map(|call| (*call, Vec::new())).collect()
    }

    #[cfg(target_arch = "x86_64")]
    const ARCH: seccompiler::TargetArch = seccompiler::TargetArch::x86_64;
    #[cfg(target_arch = "aarch64")]
    const ARCH: seccompiler::TargetArch = seccompiler::TargetArch::aarch64;
    #[cfg(target_arch = "riscv64")]
    const ARCH: seccompiler::TargetArch = seccompiler::TargetArch::riscv64;

    fn install(filter: Result<SeccompFilter, seccompiler::BackendError>) -> bool {
        let program = filter.and_then(BpfProgram::try_from);
        program.is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    use rustix::process::{Resource, Rlimit};

    pub(super) fn limits(memory_bytes: u64, cpu_s: u64, cpu_is_renewed: bool) -> bool {
        let set = |resource, most| {
            rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
        };
        // No process can raise another's limits here: what is renewed elsewhere gets a day at once.
        let cpu_s = if cpu_is_renewed { cpu_s.max(24 * 3600) } else { cpu_s };
        [set(Resource::As, memory_bytes), set(Resource::Cpu, cpu_s), set(Resource::Core, 0)]
            .into_iter()
            .all(|done| done)
    }

    pub(super) fn renew_cpu(_worker: u32, _cpu_s: u64) {}

    pub(super) fn cpu_used_s(_worker: u32) -> Option<u64> {
        None
    }

    pub(super) fn close_file_system(_programs: &[&Path]) -> &'static str {
        "none"
    }

    pub(super) fn few_calls() -> bool {
        false
    }

    pub(super) fn no_network() -> bool {
        false
    }
}
