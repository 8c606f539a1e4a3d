// The system's C library under one name, whichever system it is, with the kernel calls that Swift's module of it leaves out.
@_exported public import CKernel

#if canImport(Darwin)
@_exported public import Darwin
#else
@_exported public import Glibc
#endif
