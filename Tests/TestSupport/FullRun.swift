import Glibc

/// Whether the tests may take minutes: `scripts/test --full`.
public let isFullRun = getenv("HEADROOM_TEST_FULL") != nil
