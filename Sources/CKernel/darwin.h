// The macOS half of shim.h. Checked against Apple's headers (scripts/check-macos), and never run on a Mac.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>

// Names the calling thread, for debuggers.
static inline int kernel_name_thread(const char *name) { return pthread_setname_np(name); }

typedef struct flock kernel_flock;

enum {
    kernel_getlk = F_OFD_GETLK,
    kernel_setlk = F_OFD_SETLK,
    kernel_setlkw = F_OFD_SETLKW,
    kernel_wrlck = F_WRLCK,
    kernel_unlck = F_UNLCK
};

static inline int kernel_lock_byte(int descriptor, int command, kernel_flock *lock, short type, int64_t byte) {
    *lock = (kernel_flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(descriptor, command, lock);
}

// Of the two that go on while the machine sleeps, the one that nobody sets (clock_gettime(3)).
#define KERNEL_SLEEPLESS_CLOCK CLOCK_MONOTONIC_RAW

// Makes an empty file so large, with its room on the disk: 0, or an error number. (macOS has no posix_fallocate.) A file system
// that cannot set room aside gets the size alone.
static inline int kernel_make_room(int descriptor, int64_t size) {
    fstore_t room = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_length = size};
    if (fcntl(descriptor, F_PREALLOCATE, &room) != 0 && errno == ENOSPC) return ENOSPC;
    return ftruncate(descriptor, size) == 0 ? 0 : errno;
}

// When a process was started, in microseconds since 1970: 1; 0 when there is none, or it has ended and its parent has not
// taken note.
static inline int kernel_process_start(int process, uint64_t *start) {
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, process};
    struct kinfo_proc facts;
    size_t size = sizeof facts;
    if (sysctl(name, 4, &facts, &size, (void *)0, 0) != 0 || size < sizeof facts) return 0;
    if (facts.kp_proc.p_stat == SZOMB) return 0;
    *start = (uint64_t)facts.kp_proc.p_starttime.tv_sec * 1000000 + (uint64_t)facts.kp_proc.p_starttime.tv_usec;
    return 1;
}

// Writes a word that is a new one after each start of the machine: 0, or -1.
static inline int kernel_boot_word(char *word, size_t size) {
    return sysctlbyname("kern.bootsessionuuid", word, &size, (void *)0, 0);
}

enum { kernel_own_session = POSIX_SPAWN_SETSID };

// Opens a folder only to go on from it: needs no right to list it.
enum { kernel_go_through = O_SEARCH };

// A stream socket that does not block, and that no child of this process keeps open.
static inline int kernel_stream_socket(int family) {
    int descriptor = socket(family, SOCK_STREAM, 0);
    if (descriptor < 0) return -1;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}
