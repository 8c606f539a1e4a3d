// The C client library, as its development package installs it.
#if !__has_include(<mysql.h>)
#error "Headroom needs the MariaDB C client. Install it with: apt-get install libmariadb-dev pkg-config"
#else
#include <stdarg.h>
#include <stddef.h>
#include <errmsg.h>
#include <mysql.h>
#include <mysql/plugin_auth.h>

// Exported by the library, and not declared in its headers: has a function called after each read (mode 0) and each write
// (mode 1) of any connection.
int ma_pvio_register_callback(my_bool add, void (*called)(int mode, MYSQL *mysql, const unsigned char *bytes, size_t count));

// Of zlib, which a static program has the client's inside.
const char *zlibVersion(void);

// A plug-in that logs in. As in <mysql/client_plugin.h>, which cannot be included: it wants a header that no package has.
struct st_mysql_client_plugin_AUTHENTICATION {
    int type;
    unsigned int interface_version;
    const char *name;
    const char *author;
    const char *desc;
    unsigned int version[3];
    const char *license;
    void *mysql_api;
    int (*init)(char *, size_t, int, va_list);
    int (*deinit)(void);
    int (*options)(const char *option, const void *);
    int (*authenticate_user)(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql);
};

// Registers a plug-in, and returns it, or the one of that name that is there already.
static inline struct st_mysql_client_plugin_AUTHENTICATION *
mariadb_register_login(MYSQL *mysql, struct st_mysql_client_plugin_AUTHENTICATION *plugin) {
    return (struct st_mysql_client_plugin_AUTHENTICATION *)mysql_client_register_plugin(
        mysql, (struct st_mysql_client_plugin *)plugin);
}

// What was left with a handle under a name (MARIADB_OPT_USERDATA), or nothing. (Swift calls no function of `...`.)
static inline void *mariadb_left_with(MYSQL *mysql, const char *name) {
    void *value = NULL;
    mysql_get_optionv(mysql, MARIADB_OPT_USERDATA, (void *)name, &value);
    return value;
}
#endif
