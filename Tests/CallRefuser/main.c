// Runs a program on a host that refuses some system calls, as an old kernel, a container or a network file system does.
//
//   call-refuser [pidfd] [locks] -- PROGRAM ARGUMENTS...
//     pidfd   pidfd_open, pidfd_getfd and pidfd_send_signal are not there (ENOSYS), as before Linux 5.6 and on CloudLinux 8
//     locks   no file can be locked (ENOLCK), as on NFS without its lock service
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter filter[64];
static unsigned short length;

static void add(unsigned short code, unsigned value, unsigned char yes, unsigned char no) {
    filter[length++] = (struct sock_filter){code, yes, no, value};
}

// Has a call, or the command of fcntl(2), end with an error: what is loaded is compared, and the next line is for when it is equal.
static void refuse(unsigned number, int error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error, 0, 0);
}

int main(int count, char **arguments) {
    int index = 1;
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    for (; index < count && strcmp(arguments[index], "--") != 0; index++) {
        if (strcmp(arguments[index], "pidfd") == 0) {
            refuse(SYS_pidfd_open, ENOSYS);
            refuse(SYS_pidfd_getfd, ENOSYS);
            refuse(SYS_pidfd_send_signal, ENOSYS);
        } else if (strcmp(arguments[index], "locks") == 0) {
            static const unsigned commands[] = {F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK};
            unsigned char known = sizeof commands / sizeof *commands;
            refuse(SYS_flock, ENOLCK);
            // Other calls go around this; the first word of the second argument is the command on every little-endian machine.
            add(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, (unsigned char)(2 + 2 * known));
            add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]), 0, 0);
            for (unsigned char each = 0; each < known; each++) refuse(commands[each], ENOLCK);
            add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        } else {
            return 64;
        }
    }
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    struct sock_fprog program = {length, filter};
    if (index + 1 >= count || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("call-refuser");
        return 126;
    }
    execv(arguments[index + 1], arguments + index + 1);
    perror(arguments[index + 1]);
    return 127;
}
