// Kernel calls that Swift's Glibc module leaves out. Header only; each wrapper is the bare system call.
#pragma once

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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
static inline int clinux_epoll_add_oneshot(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data = {.u64 = identifier}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
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
