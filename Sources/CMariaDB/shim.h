// The C client library, as its development package installs it.
#if !__has_include(<mysql.h>)
#error "Headroom needs the MariaDB C client. Install it with: apt-get install libmariadb-dev pkg-config"
#else
#include <mysql.h>
// Exported by the library, and not declared in its headers: has a function called after each read (mode 0) and each write
// (mode 1) of any connection.
int ma_pvio_register_callback(my_bool add, void (*called)(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count));
#endif
