// The C client library, as its development package installs it.
#if !__has_include(<mysql.h>)
#error "Headroom needs the MariaDB C client. Install it with: apt-get install libmariadb-dev pkg-config"
#else
#include <mysql.h>
#endif
