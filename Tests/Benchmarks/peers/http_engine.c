// An engine with OpenAI's interface that answers every request at once: `http_engine PORT`.
//
// A thread for each connection. Plain answers have three words; streams have them in three events.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\",\"created\":1,"
                             "\"owned_by\":\"bench\",\"max_model_len\":1000000}]}";
static const char answer[] =
    "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"mock\",\"choices\":[{\"index\":0,"
    "\"message\":{\"role\":\"assistant\",\"content\":\"one two three\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":3,\"total_tokens\":4}}";
#define EVENT(delta, finish)                                                                                           \
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\",\"choices\":"          \
    "[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" finish "}]}\n\n"
static const char *const events[] = {
    EVENT("\"role\":\"assistant\",\"content\":\"\"", "null"),
    EVENT("\"content\":\"one\"", "null"),
    EVENT("\"content\":\" two\"", "null"),
    EVENT("\"content\":\" three\"", "\"stop\""),
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\",\"choices\":[],"
    "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":3,\"total_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
};

static int say(int socket, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return 0;
        bytes += sent, size -= (size_t)sent;
    }
    return 1;
}

static int reply(int socket, const char *type, const char *body) {
    char head[256];
    int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", type,
                        strlen(body));
    return say(socket, head, (size_t)size) && say(socket, body, strlen(body));
}

static int stream(int socket) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    if (!say(socket, head, sizeof head - 1)) return 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        char chunk[1024];
        int size = snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(events[i]), events[i]);
        if (!say(socket, chunk, (size_t)size)) return 0;
    }
    return say(socket, "0\r\n\r\n", 5);
}

static int is_stream(const char *body, size_t size) {
    const char *at = memmem(body, size, "\"stream\"", 8);
    if (!at) return 0;
    for (at += 8; at < body + size && (*at == ' ' || *at == ':'); at++) {}
    return at + 4 <= body + size && !memcmp(at, "true", 4);
}

static void *serve(void *argument) {
    int socket = (int)(long)argument, yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    size_t capacity = 1 << 20, held = 0;
    char *bytes = malloc(capacity);
    for (;;) {
        char *end;
        while (!(end = memmem(bytes, held, "\r\n\r\n", 4))) {
            ssize_t got = held < capacity ? recv(socket, bytes + held, capacity - held, 0) : 0;
            if (got <= 0) goto over;
            held += (size_t)got;
        }
        size_t head = (size_t)(end - bytes) + 4, length = 0;
        *end = 0;
        char *field = strcasestr(bytes, "\r\ncontent-length:");
        if (field) length = (size_t)atol(field + 17);
        while (held < head + length) {
            ssize_t got = head + length <= capacity ? recv(socket, bytes + held, capacity - held, 0) : 0;
            if (got <= 0) goto over;
            held += (size_t)got;
        }
        int isFine;
        if (!strncmp(bytes, "POST", 4))
            isFine = is_stream(bytes + head, length) ? stream(socket) : reply(socket, "application/json", answer);
        else if (strstr(bytes, "/v1/models")) isFine = reply(socket, "application/json", models);
        else isFine = reply(socket, "text/plain", "ok\n");
        if (!isFine) break;
        held -= head + length;
        memmove(bytes, bytes + head + length, held);
    }
over:
    free(bytes);
    close(socket);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return perror("bind"), 1;
    for (;;) {
        int client = accept(listener, NULL, NULL);
        pthread_t thread;
        if (client >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)client)) pthread_detach(thread);
    }
}
