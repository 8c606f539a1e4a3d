// What dlopen(3) and dlerror(3) are in a static program (scripts/build-release links with --wrap): a plug-in of Connector/C, a
// provider of OpenSSL or any other library of the host would bring the host's C library with it, of another version, and end the
// process by SIGSEGV.
void *__wrap_dlopen(const char *path, int flags) {
    (void)path;
    (void)flags;
    return (void *)0;
}

char *__wrap_dlerror(void) { return "this program has its libraries inside, and loads none of the host's"; }
