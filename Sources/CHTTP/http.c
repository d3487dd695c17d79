#define _GNU_SOURCE
#include "CHTTP.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct chttp_client {
    CURL *curl;
};

struct buffer {
    uint8_t *bytes;
    size_t length, capacity, limit;
    int cut, failed;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void prepare(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

chttp_client *chttp_open(void) {
    pthread_once(&once, prepare);
    chttp_client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    client->curl = curl_easy_init();
    if (client->curl) return client;
    free(client);
    return NULL;
}

void chttp_close(chttp_client *client) {
    if (!client) return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static int append(struct buffer *buffer, const char *bytes, size_t length) {
    size_t room = buffer->limit - buffer->length;
    if (length > room) {
        buffer->cut = 1;
        length = room;
    }
    if (buffer->length + length > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 4096;
        while (capacity < buffer->length + length) capacity *= 2;
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) return buffer->failed = 1;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (length) memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return 0;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *to) {
    struct buffer *body = to;
    if (append(body, bytes, one * count)) return 0;
    // What goes beyond is not waited for.
    return body->cut ? 0 : one * count;
}

static size_t take_header(char *bytes, size_t one, size_t count, void *to) {
    struct buffer *headers = to;
    // "100 Continue" and the like come first: the last answer counts.
    if (one * count > 5 && !strncasecmp(bytes, "HTTP/", 5)) headers->length = 0;
    return append(headers, bytes, one * count) || headers->cut ? 0 : one * count;
}

static int watch(void *order, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    struct pollfd wanted = {.fd = ((const struct chttp_order *)order)->cancel, .events = POLLIN};
    return wanted.fd >= 0 && poll(&wanted, 1, 0) > 0;
}

static int kind_of(CURLcode code) {
    switch (code) {
    case CURLE_OK: return chttp_ok;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return chttp_unreachable;
    case CURLE_OPERATION_TIMEDOUT: return chttp_timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return chttp_untrusted;
    case CURLE_ABORTED_BY_CALLBACK: return chttp_cancelled;
    default: return chttp_broken;
    }
}

static CURLcode set(CURL *curl, const struct chttp_order *order, struct curl_slist *headers) {
    curl_easy_setopt(curl, CURLOPT_URL, order->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)order->timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)order->connect_timeout);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, order->fresh ? 1L : 0L);
    if (order->authorities) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, order->authorities);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (order->certificate) curl_easy_setopt(curl, CURLOPT_SSLCERT, order->certificate);
    if (order->key) curl_easy_setopt(curl, CURLOPT_SSLKEY, order->key);
    if (!strcmp(order->method, "HEAD")) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (order->has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, order->body_length ? order->body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body_length);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, order->method);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        if (strcmp(order->method, "GET")) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, order->method);
    }
    return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

// TLS may write to a connection that the peer has closed: SIGPIPE is held back on this thread and thrown away afterwards.
static CURLcode perform(CURL *curl) {
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    CURLcode code = curl_easy_perform(curl);
    int number;
    if (!sigismember(&before, SIGPIPE) && !sigpending(&pending) && sigismember(&pending, SIGPIPE)) sigwait(&pipe_signal, &number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

void chttp_perform(chttp_client *client, const struct chttp_order *order, struct chttp_answer *answer) {
    memset(answer, 0, sizeof *answer);
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    struct curl_slist *headers = NULL;
    for (char *const *header = order->headers; header && *header; header++) {
        struct curl_slist *longer = curl_slist_append(headers, *header);
        if (!longer) break;
        headers = longer;
    }
    struct buffer body = {.limit = order->limit}, lines = {.limit = 256 << 10};
    char reason[CURL_ERROR_SIZE] = "";
    CURLcode code = set(curl, order, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &lines);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)order);
    if (code == CURLE_OK) code = perform(curl);
    long size = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &size);
    answer->sent = size > 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (code == CURLE_WRITE_ERROR && body.cut && !body.failed) code = CURLE_OK;
    answer->kind = kind_of(code);
    if (code != CURLE_OK) {
        const char *text = reason[0] ? reason : curl_easy_strerror(code);
        strncpy(answer->reason, text, sizeof answer->reason - 1);
    }
    answer->cut = body.cut;
    answer->body = body.bytes;
    answer->body_length = body.length;
    answer->headers = lines.bytes;
    answer->headers_length = lines.length;
    curl_slist_free_all(headers);
}

void chttp_release(struct chttp_answer *answer) {
    free(answer->body);
    free(answer->headers);
    memset(answer, 0, sizeof *answer);
}
