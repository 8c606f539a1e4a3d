@preconcurrency import Glibc

extension Console {
    /// Sees to it that a result that could not be written, as onto a full disk, is told and ends the program with 74.
    ///
    /// (74 is EX_IOERR of sysexits.h.) A reader that has gone away is no matter for it: SIGPIPE ends the program.
    package static func reportLostOutput() {
        atexit {
            guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
            Console.error("headroom: the result cannot be written: \(String(cString: strerror(errno))).")
            Console.error("  next: Look at where standard output leads: a full disk, or a file that is closed?")
            _exit(74)
        }
    }
}
