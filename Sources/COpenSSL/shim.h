// The TLS library that the C client is built on, as its development package installs it.
#if !__has_include(<openssl/ssl.h>)
#error "Headroom needs OpenSSL's headers. Install them with: apt-get install libssl-dev"
#else
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#endif
