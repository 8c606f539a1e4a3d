/// The program's version, as `--version` and `--json` print it.
package let headroomVersion = "0.1.0"
