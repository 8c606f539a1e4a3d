#define _GNU_SOURCE
#include "claunch.h"

#include <fcntl.h>
#include <mariadb/mysql.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Its output goes nowhere; errors are seen.
static pid_t start(char *const argv[], char *const env[]) {
    pid_t process = -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&process, argv[0], &actions, NULL, argv, env)) process = -1;
    posix_spawn_file_actions_destroy(&actions);
    return process;
}

static int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

struct claunch_run claunch_time(char *const argv[], char *const env[]) {
    struct claunch_run run = {-1, 0, 0, 0, 0};
    int status;
    long long begin = now();
    pid_t process = start(argv, env);
    if (process < 0 || waitpid(process, &status, 0) != process) return run;
    run.nanoseconds = now() - begin;
    run.status = exit_code(status);
    return run;
}

static void read_memory(pid_t process, struct claunch_run *run) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "VmHWM: %ld", &run->peak_kilobytes);
        sscanf(line, "VmRSS: %ld", &run->resident_kilobytes);
        sscanf(line, "RssAnon: %ld", &run->own_kilobytes);
    }
    if (file) fclose(file);
}

struct claunch_run claunch_memory(char *const argv[], char *const env[]) {
    struct claunch_run run = {-1, 0, 0, 0, 0};
    int status;
    long long begin = now();
    pid_t process = fork();
    if (process == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvpe(argv[0], argv, env);
        _exit(127);
    }
    // The stop after exec; its threads are not traced.
    if (process < 0 || waitpid(process, &status, 0) != process || !WIFSTOPPED(status)) return run;
    ptrace(PTRACE_SETOPTIONS, process, NULL, (void *)(PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
    ptrace(PTRACE_CONT, process, NULL, NULL);
    while (waitpid(process, &status, 0) == process) {
        if (!WIFSTOPPED(status)) {
            run.nanoseconds = now() - begin;
            run.status = exit_code(status);
            break;
        }
        int signal = WSTOPSIG(status);
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            read_memory(process, &run);
            signal = 0;
        }
        ptrace(PTRACE_CONT, process, NULL, (void *)(long)signal);
    }
    return run;
}

struct claunch_run claunch_look(int process) {
    struct claunch_run run = {-1, 0, 0, 0, 0};
    read_memory(process, &run);
    return run;
}

long long claunch_first_kill(const char *socket, const char *user, const char *password, int count, char *const argv[],
                             char *const env[]) {
    MYSQL **sessions = calloc((size_t)count, sizeof *sessions);
    struct pollfd *sockets = calloc((size_t)count, sizeof *sockets);
    int status, opened = 0;
    long long duration = -1;
    for (; opened < count; opened++) {
        sessions[opened] = mysql_init(NULL);
        if (!mysql_real_connect(sessions[opened], NULL, user, password, NULL, 0, socket, 0)) break;
        sockets[opened] = (struct pollfd){mysql_get_socket(sessions[opened]), POLLIN, 0};
    }
    if (opened == count) {
        // The server counts whole seconds.
        usleep(2100000);
        long long begin = now();
        pid_t process = start(argv, env);
        if (process > 0 && poll(sockets, (nfds_t)count, 5000) > 0) duration = now() - begin;
        if (process > 0) waitpid(process, &status, 0);
    }
    for (int index = 0; index < count; index++)
        if (sessions[index]) mysql_close(sessions[index]);
    free(sessions);
    free(sockets);
    return duration;
}
