// Kernel calls that Swift's Glibc module leaves out. Header only; each wrapper is the bare system call.
#pragma once

#if !defined(__linux__)
#error "Headroom needs Linux: its slots, locks and waits are the kernel's (OFD locks, epoll, inotify, /proc)."
#endif
#if __SIZEOF_LONG__ != 8
#error "Headroom needs a 64-bit system: struct clinux_flock is laid out for one."
#endif

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// poll(2) counts in milliseconds; ppoll(2) in nanoseconds. `nanoseconds` must be below one second.
static inline int clinux_poll_nanoseconds(struct pollfd *descriptors, unsigned long count, long nanoseconds) {
    struct timespec limit = {0, nanoseconds};
    return (int)syscall(SYS_ppoll, descriptors, count, &limit, (void *)0, 8);
}

// struct epoll_event holds a union, which Swift can fill only awkwardly.
// After its one event a descriptor stays in epoll, silent, and the next wait for it costs one call instead of two.
static inline int clinux_epoll_oneshot(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data = {.u64 = identifier}};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return errno == ENOENT ? epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) : -1;
}

static inline int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events, .data = {.u64 = identifier}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int clinux_epoll_remove(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, (struct epoll_event *)0);
}

// Sets a timer descriptor to fire once, `nanoseconds` from now; 0 disarms it.
static inline int clinux_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec value = {{0, 0}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    return timerfd_settime(timer, 0, &value, (struct itimerspec *)0);
}

// Names the calling thread, for debuggers and ps; the kernel keeps the first 15 bytes.
static inline int clinux_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// Locks on one byte of an open file. They belong to the open file, not to the process: the kernel drops them when the file's
// last descriptor is closed, also by kill -9. Swift's Glibc module imports neither the commands nor the variadic call. The
// structure is the kernel's own, under another name: the header that has it would take `struct stat` out of Glibc.
struct clinux_flock {
    short type;
    short whence;
    int64_t start;
    int64_t length;
    int pid;
};

static inline int clinux_lock_byte(int descriptor, int command, struct clinux_flock *lock, short type, int64_t byte) {
    *lock = (struct clinux_flock){.type = type, .whence = 0, .start = byte, .length = 1};
    return (int)syscall(SYS_fcntl, descriptor, command, lock);
}

enum { clinux_getlk = 36, clinux_setlk = 37, clinux_setlkw = 38, clinux_wrlck = 1, clinux_unlck = 2 };

// Takes the lock unless another open file has it: 0, or -1.
static inline int clinux_try_lock_byte(int descriptor, int64_t byte) {
    struct clinux_flock lock;
    return clinux_lock_byte(descriptor, clinux_setlk, &lock, clinux_wrlck, byte);
}

// Takes the lock, and sleeps until it can.
static inline int clinux_wait_lock_byte(int descriptor, int64_t byte) {
    struct clinux_flock lock;
    return clinux_lock_byte(descriptor, clinux_setlkw, &lock, clinux_wrlck, byte);
}

static inline int clinux_unlock_byte(int descriptor, int64_t byte) {
    struct clinux_flock lock;
    return clinux_lock_byte(descriptor, clinux_setlk, &lock, clinux_unlck, byte);
}

// Whether another open file has the lock: 1 or 0.
static inline int clinux_is_byte_locked(int descriptor, int64_t byte) {
    struct clinux_flock lock;
    return clinux_lock_byte(descriptor, clinux_getlk, &lock, clinux_wrlck, byte) == 0 && lock.type != clinux_unlck;
}

// A descriptor of a process: it keeps meaning that process when the number is given to another. The calls have
// the same numbers on all processors.
static inline int clinux_pidfd_open(int process) { return (int)syscall(434, process, 0); }

// A duplicate of a descriptor of another process; needs the right to trace it, and Linux 5.6.
static inline int clinux_pidfd_getfd(int process, int descriptor) {
    return (int)syscall(438, process, descriptor, 0);
}

static inline int clinux_pidfd_signal(int process, int signal) {
    return (int)syscall(424, process, signal, (void *)0, 0);
}
