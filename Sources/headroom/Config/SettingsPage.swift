import CommandSupport
import Headroom

/// The page `docs/settings.md`, which a test holds to be this.
enum SettingsPage {
    static var text: String {
        var text = head
        for group in Setting.Group.allCases {
            text +=
                "\n## \(group.rawValue)\n\n| setting | what it means | may be | default | from a found `.env` |\n"
                + "| --- | --- | --- | --- | --- |\n"
            for setting in Setting.all where setting.group == group {
                text +=
                    "| \(name(setting)) | \(meaning(setting)) | \(setting.bounds) | \(setting.standardText) "
                    + "| \(setting.trust.words): \(setting.trust.reason) |\n"
            }
        }
        return text + tail
    }

    private static func name(_ setting: Setting) -> String {
        "`\(setting.name)`" + (setting.flag.map { ", `\($0)`" } ?? "")
    }

    private static func meaning(_ setting: Setting) -> String {
        guard !setting.readBy.isEmpty else { return setting.meaning }
        return "\(setting.meaning) Read by \(setting.readBy.map { "`\($0)`" }.joined(separator: ", "))."
    }

    private static var secrets: String {
        Setting.all.filter(\.isSecret).map { "`\($0.name)`" }.joined(separator: ", ")
    }

    private static var handed: String {
        Setting.handed.map { "`\($0.name)`" }.joined(separator: ", ")
    }

    private static let passedOver =
        "What is passed over is a warning that says why, and `config show` and `doctor` have it too. Where the only host is one "
        + "that is passed over, nothing is connected to: that is an error (`rescue` and `doctor` go on with the default). Only "
        + "where the password is in an option file without a host, that means this machine, as for the servers' own tools. "
        + "`~/.my.cnf` counts as named where it is your own, else as a `.env` that was found, and what it includes is not read."

    private static func paragraph(_ text: String) -> String { wrapped(text, width: 120).joined(separator: "\n") }

    private static var head: String {
        """
        # Settings

        This page is made by `headroom config list --markdown` from the table that the program itself reads; a test holds it to
        that. `headroom config show` prints what is in force and where each value comes from, and connects to nothing.

        ```sh
        headroom config show
        ```

        ## Where they come from

        The first source that has a value wins:

        1. flags (a password is never one: other users of the machine could read it);
        2. the environment;
        3. systemd's credentials (secrets only, see below);
        4. the file of `--env-file`, then that of `--defaults-file`, then `~/.my.cnf` and the file of `--defaults-extra-file`;
        5. `.env` in the working directory, unless `--env-file` names another, or `--app` a folder.

        Only where none of these says where the database is or who logs in: `MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_UNIX_PORT`,
        `MYSQL_USER`, `MYSQL_PASSWORD` and `MYSQL_DATABASE` (or `MARIADB_...`), as the servers' images have them, or
        `WORDPRESS_DB_HOST`, `..._USER`, `..._PASSWORD` and `..._NAME`, as that of WordPress has, and then
        `~/.my.cnf`, which is left out where `.env` answered. So a password of one server is not sent to another that a file
        happens to name.

        Files of settings are read through links, up to 1 MiB, and only regular ones: no FIFO, no device. `/etc/headroom/headroom.env`
        is read where it is named, as the units of the package do: beside the `.env` of a site it would be the settings of two.

        ## What applications have

        `--app /srv/site` finds the settings of Laravel, Symfony, WordPress, Bedrock, Drupal, Joomla and Magento, and `--env-file` may
        name the file itself: `wp-config.php`, `settings.php`, `configuration.php`, `env.php`. No PHP is run. What stands there plainly
        and holds whatever happens is read: `define` and `const`, texts joined with dots, a `define` that stands behind its own
        `defined`. What is worked out (`getenv(...)`), or stands in a branch or a function, is named with its line, and is an error
        until something louder says it: no login is tried without it. `config show` says which file each value is from.

        A `.env` is read as its own tool reads it:

        - beside `artisan` as phpdotenv and Laravel's `env()` do. A URL in `DB_URL` or `DATABASE_URL` wins over the names beside it.
          Where the environment has `APP_ENV=staging` and there is a `.env.staging`, that is read in its place;
        - beside `bin/console` as symfony/dotenv does, with `.env.local`, `.env.dev` (or what `APP_ENV` says) and `.env.dev.local` after
          it, or `.env.local.php` in their place. Beside `DATABASE_URL` no `DB_` name counts. `%%` in it is a `%` where
          `config/packages/doctrine.yaml` says `resolve:`; one with `%env(...)%` or `%kernel...%` in it is an error;
        - beside `config/application.php` and `web/wp-config.php` as Bedrock does: `DB_NAME`, `DB_USER`, `DB_PASSWORD`, `DB_HOST` (else
          `localhost`) or `DATABASE_URL`, as it stands.

        phpdotenv and symfony/dotenv contradict each other: of `abc#def` the one takes `abc`. So elsewhere a value that they read differently stops whoever uses it, with the line:
        `NAME='value'`, in single quotes, is the same to all. Names that begin with `HEADROOM_` are no other tool's: their values
        stand as they are. No command in `$(...)` is run, and what is wrong in lines of others stops nothing. Where `DB_CONNECTION`
        (or `DB_DRIVER`, `DB_ENGINE` and their like) says that the settings beside it are for another kind of database, they are not
        tried.

        `DB_HOST` may be `host:port`, a socket's path, `localhost:/path` or `p:host`, as PHP's programs write it. `localhost` with a
        `DB_PORT` is the socket, as to PHP, and so is `localhost:3307` in a PHP file and with Bedrock; `--host localhost --port 3307`, a URL with a port, and an option file with
        `protocol=tcp` mean TCP, as to `mariadb`.

        A URL may begin with `mysql://`, `mariadb://`, `mysql2://`, `mysql+pymysql://`, `jdbc:mysql://` and their like. Options of other
        programs (`serverVersion`, `charset`, `pool`) are passed over with a warning; `sslmode`, `sslaccept`, `useSSL`, `ssl-ca`,
        `ssl-cert` and their like are understood, and what may be about encryption and is not understood is an error. A URL of another
        kind of database is passed over where other settings say where the database is and who logs in. What stands behind a `#` is no
        part of it. No piece of a URL is ever printed.

        A value that is empty counts as not set. A time is a number of seconds (`30`, `0.5`), or one with `ms`, `s`, `m`, `h` or
        `d`. A name that begins with `HEADROOM_` and is no setting is a warning that says which one is near; it is an error where it is
        near one of encryption, the budget, the reserve or the state folder, so that a slip does not leave a password unguarded. So is a
        value that cannot be used. `headroom rescue` and `headroom doctor` go on then: they are for outages. Names that Kubernetes
        sets (`HEADROOM_SERVICE_HOST`, `HEADROOM_SERVICE_PORT` and so on) are none of these.

        ## What a `.env` that was found may say

        Whoever may write to a folder chooses what `.env` in it says to all who work there, root among them. So a setting counts
        from a `.env` that was only found there as the last column of the tables says:

        - **yes**: it is harmless. At worst Headroom does not work in that folder.
        - **with its password**: it says where a password goes, or how it is guarded on its way. It counts for a password of the
          same file. For one of another source (the environment, a credential, a file that was named, `--ask-pass`) it counts
          only where the `.env` is your own: you or root own the file and its folder, and nobody else may write to them; the same of
          each link to it. A group with its owner's number is that user's own (umask 002). The sticky bit, as of `/tmp`, does not
          help: others can link or move there what root or you have written. `HEADROOM_TLS_MODE` may
          always ask for more than the usual, never for less.
        - **no**: it starts a program, opens a file, sends something somewhere or lets somebody in. So do the names that end in
          `_FILE`. They count from flags, the environment, systemd's credentials, and files that were named (`--env-file .env` names
          it).

        \(paragraph(passedOver))

        ## Secrets

        \(paragraph("These are secrets: \(secrets). They are never printed. Each may also be"))

        - the content of a file, named by `DB_PASSWORD_FILE` and so on (not beside `DB_PASSWORD` in the same source);
        - a credential of systemd: `LoadCredential=headroom-db-password:/etc/headroom/db-password` in a unit. The credential's name
          is `headroom-` and the setting's in lower case with dashes, or just the setting's in lower case (`db_password`).

        A file that holds a secret and may be read by every user of the machine is a warning. Whoever may read
        `/proc/PID/environ` of a process (the same user, and root) sees its environment: a file or a credential is better.

        ## MySQL option files

        `--defaults-file` and `~/.my.cnf` are read as the servers' own tools read them: quotes, the escapes `\\n \\t \\r \\b \\s \\\\`,
        `!include` and `!includedir` (`*.cnf`, in the order of their names). `#` begins a comment wherever it is not in quotes: a
        password that holds one belongs in quotes, and Headroom warns where it is cut. The groups, in capitals or not, `[client]`, `[client-server]`,
        `[client-mariadb]`, `[mysql]` and `[mariadb-client]` count with their `host`, `port`, `socket`, `user`, `password`,
        `database`, `protocol`, `ssl`, `ssl-mode`, `ssl-ca`, `ssl-capath`, `ssl-cert`, `ssl-key`, `ssl-verify-server-cert`, `skip-ssl` and
        `connect-timeout`. A socket counts for `localhost` alone, and not with `protocol=tcp`. Any other option that begins with `ssl-`
        or `tls-` asks for encryption too; the fingerprint of `ssl-fp` is not looked at, and is an error where nothing else makes
        sure of the server. The group `[headroom]` takes
        every setting by its name without `DB_` or `HEADROOM_`, such as `budget = 4` or `wait-timeout = 10`.

        ## Names that Headroom sets

        \(paragraph("They are no settings: \(handed). The programs that Headroom starts find them in their environment."))

        """
    }

    private static var tail: String {
        """

        A commented file with all of them, for `--env-file` and for systemd's `EnvironmentFile=`:

        ```sh
        headroom config template
        ```

        """
    }
}
