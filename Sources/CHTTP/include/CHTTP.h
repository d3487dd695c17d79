#ifndef CHTTP_H
#define CHTTP_H

#include <stddef.h>
#include <stdint.h>

// One request over libcurl, whose options Swift cannot set (they are variadic). It blocks. Redirects are not followed, only http and https are spoken,
// certificates are verified.

struct chttp_order {
    const char *method;
    const char *url;
    char *const *headers;      // "Name: value", ends in NULL
    const void *body;
    size_t body_length;
    int has_body;
    int64_t timeout;           // ms, in all
    int64_t connect_timeout;   // ms
    size_t limit;              // bytes of the answer's body that are kept
    const char *authorities;   // PEM file of trusted authorities; NULL = the system's
    const char *certificate;   // PEM files of ours; NULL = none
    const char *key;
    int fresh;                 // over a new connection: over an old one that turns out dead libcurl would send it again by itself
    int cancel;                // a descriptor that becomes readable when it is to be given up; -1 = none
};

enum chttp_kind { chttp_ok = 0, chttp_unreachable = 1, chttp_timeout = 2, chttp_untrusted = 3, chttp_cancelled = 4, chttp_broken = 5 };

struct chttp_answer {
    int kind;
    long status;
    uint8_t *headers;          // of the last answer, as they came; freed by chttp_release
    size_t headers_length;
    uint8_t *body;
    size_t body_length;
    int cut;
    int sent;                  // something of the request may have arrived
    char reason[256];
};

typedef struct chttp_client chttp_client;

/// Keeps its connections open between requests. Used by one thread at a time. NULL when there is no memory.
chttp_client *chttp_open(void);
void chttp_close(chttp_client *client);
void chttp_perform(chttp_client *client, const struct chttp_order *order, struct chttp_answer *answer);
void chttp_release(struct chttp_answer *answer);

#endif
