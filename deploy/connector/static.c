// What a static program (scripts/build-release) has of its own.
#include <unistd.h>

// What dlopen(3) and dlerror(3) are in it (it is linked with --wrap): a plug-in of Connector/C, a provider of OpenSSL or any other
// library of the host would bring the host's C library with it, of another version, and end the process by SIGSEGV.
void *__wrap_dlopen(const char *path, int flags) {
    (void)path;
    (void)flags;
    return (void *)0;
}

char *__wrap_dlerror(void) { return "this program has its libraries inside, and loads none of the host's"; }

// Swift's runtime ends the process by SIGSEGV where there is no /proc, before main: this comes before it.
static void look_for_proc(void) {
    char target[1];
    if (readlink("/proc/self/exe", target, sizeof target) >= 0) return;
    static const char words[] = "headroom: /proc is not mounted here, or does not show this process.\n"
                                "  next: Mount it: mount -t proc proc /proc (in a chroot: below it). hidepid is no hindrance.\n";
    ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
    (void)written;
    // EX_OSERR, as docs/errors.md has it.
    _exit(71);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = look_for_proc;
