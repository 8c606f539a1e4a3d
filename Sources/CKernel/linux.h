// The Linux half of shim.h.
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <gnu/libc-version.h>
#include <nss.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// poll(2) counts in milliseconds; ppoll(2) in nanoseconds. `nanoseconds` must be below one second.
static inline int kernel_poll_nanoseconds(struct pollfd *descriptors, unsigned long count, long nanoseconds) {
    struct timespec limit = {0, nanoseconds};
    return (int)syscall(SYS_ppoll, descriptors, count, &limit, (void *)0, 8);
}

// struct epoll_event holds a union, which Swift can fill only awkwardly.
// After its one event a descriptor stays in epoll, silent, and the next wait for it costs one call instead of two.
static inline int kernel_epoll_oneshot(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data = {.u64 = identifier}};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return errno == ENOENT ? epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) : -1;
}

static inline int kernel_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events, .data = {.u64 = identifier}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int kernel_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events, .data = {.u64 = identifier}};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
}

static inline int kernel_epoll_remove(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, (struct epoll_event *)0);
}

// Sets a timer descriptor to fire once, `nanoseconds` from now; 0 disarms it.
static inline int kernel_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec value = {{0, 0}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    return timerfd_settime(timer, 0, &value, (struct itimerspec *)0);
}

// Names the calling thread, for debuggers and ps; the kernel keeps the first 15 bytes.
static inline int kernel_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// One heap for all threads, which gives back what is freed: large pieces at once, the rest once 128 KB lie at its end. (The
// bounds that grow with what was freed before are the GNU library's default.)
static inline void kernel_keep_heap_small(void) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

// Swift's Glibc module imports neither the commands of these locks nor the variadic call. The structure is the kernel's own,
// under another name: the header that has it would take `struct stat` out of Glibc.
typedef struct {
    short l_type;
    short l_whence;
    int64_t l_start;
    int64_t l_len;
    int l_pid;
} kernel_flock;

enum { kernel_getlk = 36, kernel_setlk = 37, kernel_setlkw = 38, kernel_wrlck = 1, kernel_unlck = 2 };

static inline int kernel_lock_byte(int descriptor, int command, kernel_flock *lock, short type, int64_t byte) {
    *lock = (kernel_flock){.l_type = type, .l_whence = 0, .l_start = byte, .l_len = 1};
    return (int)syscall(SYS_fcntl, descriptor, command, lock);
}

#define KERNEL_SLEEPLESS_CLOCK CLOCK_BOOTTIME

// A descriptor of a process: it keeps meaning that process when the number is given to another. The calls have
// the same numbers on all processors.
static inline int kernel_pidfd_open(int process) { return (int)syscall(434, process, 0); }

// A duplicate of a descriptor of another process; needs the right to trace it, and Linux 5.6.
static inline int kernel_pidfd_getfd(int process, int descriptor) {
    return (int)syscall(438, process, descriptor, 0);
}

static inline int kernel_pidfd_signal(int process, int signal) {
    return (int)syscall(424, process, signal, (void *)0, 0);
}

// Whether a file has rights beside its mode (acl(5)), which a new file in its place would not have.
static inline int kernel_has_access_list(const char *path) {
    return syscall(SYS_getxattr, path, "system.posix_acl_access", (void *)0, 0) > 0;
}

// POSIX_SPAWN_SETSID, which the GNU library has since 2.26 and shows to its own programs only.
enum { kernel_own_session = 0x80 };

// Opens a folder only to go on from it: needs no right to list it. (O_PATH; a link that is not to be followed is no folder.)
enum { kernel_go_through = 010000000 };

// How many processors this process may run on; 1 when the kernel does not say.
static inline long kernel_processors(void) {
    unsigned long mask[128] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask), count = 0;
    for (long word = 0; word < size / (long)sizeof(long); word++) count += __builtin_popcountl(mask[word]);
    return count > 0 ? count : 1;
}

// Gives each thread that a library starts so much of a stack: of the 8 MB that are usual a limit of all memory counts every one.
static inline void kernel_limit_stacks(size_t size) {
    extern int pthread_setattr_default_np(const pthread_attr_t *attributes);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    if (pthread_attr_setstacksize(&attributes, size) == 0) pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

// Has names of users, groups and hosts be looked up by what is inside the C library, whatever nsswitch.conf says.
static inline void kernel_use_own_name_services(void) {
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("services", "files");
    __nss_configure_lookup("protocols", "files");
}

// A stream socket that does not block, and that no child of this process keeps open.
static inline int kernel_stream_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Takes a client of a socket that listens: its descriptor does not block, and no child of this process keeps it open.
static inline int kernel_accept(int descriptor) {
    extern int accept4(int descriptor, struct sockaddr *address, socklen_t *size, int flags);
    return accept4(descriptor, (struct sockaddr *)0, (socklen_t *)0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// Sends open files to the process at the other end of a unix socket, with a text: 0, or -1.
static inline int kernel_send_files(int socket, const void *text, size_t size, const int *files, int count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)text, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 16) return -1;
    if (count > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        __builtin_memcpy(CMSG_DATA(header), files, count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

// Receives what the one above sends, up to 16 files: the size of the text, or -1.
static inline ssize_t kernel_receive_files(int socket, void *text, size_t room, int *files, int *count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    struct iovec part = {text, room};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *count = 0;
    ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = size < 0 ? (struct cmsghdr *)0 : CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        __builtin_memcpy(files, CMSG_DATA(header), *count * sizeof(int));
    }
    return size;
}

// The number of the kind of file system that a path is on (statfs(2)); 0 when it cannot be told.
static inline uint32_t kernel_file_system(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (uint32_t)facts.f_type : 0;
}
