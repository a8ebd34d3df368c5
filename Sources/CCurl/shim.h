#ifndef ALADDIN_CCURL_SHIM_H
#define ALADDIN_CCURL_SHIM_H
#include <curl/curl.h>
#include <sys/epoll.h> /* what libcurl waits for; not in Swift's Glibc */

/* libcurl's options are variadic functions, which Swift does not import: one inline function for each type of value. */

static inline CURLcode aladdin_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode aladdin_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode aladdin_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*aladdin_curl_body)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode aladdin_curl_set_body_function(CURL *easy, aladdin_curl_body function) {
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
}

/* Copies the bytes. */
static inline CURLcode aladdin_curl_set_post(CURL *easy, const void *bytes, long count) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

typedef size_t (*aladdin_curl_source)(char *bytes, size_t size, size_t count, void *context);
typedef int (*aladdin_curl_seek)(void *context, curl_off_t offset, int origin);

/* Asks for the bytes as they are needed, `room` at a time, and from the beginning again if it has to send them anew. */
static inline CURLcode aladdin_curl_set_post_source(CURL *easy, curl_off_t count, long room, aladdin_curl_source source,
                                                    aladdin_curl_seek seek, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, count);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, room);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, source);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
}

/* Keeps so many connections that are not used just now. */
static inline CURLMcode aladdin_curl_keep_connections(CURLM *multi, long count) {
    return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, count);
}

static inline long aladdin_curl_status(CURL *easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Seconds that the server asks to wait, 0 if it does not. */
static inline long aladdin_curl_retry_after(CURL *easy) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    return (long)seconds;
}

/* The handle that a CURLMSG_DONE message is about, and how its transfer ended. */
static inline CURL *aladdin_curl_next_done(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

typedef int (*aladdin_curl_socket)(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context);
typedef int (*aladdin_curl_timer)(CURLM *multi, long milliseconds, void *context);

/* Has libcurl say which sockets it waits for, and until when. */
static inline CURLMcode aladdin_curl_watch(CURLM *multi, aladdin_curl_socket socket, aladdin_curl_timer timer,
                                           void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : code;
}

#endif
