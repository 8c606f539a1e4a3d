// SQLite, as its development package installs it.
#if !__has_include(<sqlite3.h>)
#error "Headroom needs SQLite's headers. Install them with: apt-get install libsqlite3-dev"
#else
#include <sqlite3.h>
#endif
