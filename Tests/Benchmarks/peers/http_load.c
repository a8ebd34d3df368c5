// A closed loop of chat completions over HTTP/1.1: `http_load PORT CLIENTS PROMPT_BYTES STREAMS SECONDS`.
#define _GNU_SOURCE
#include "clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };

struct client {
    int socket;
    size_t held, left; // of the request, to be sent
    int64_t sent;
    char bytes[ROOM];
};

static char *request;
static size_t request_size;

static void make_request(size_t prompt, int streams) {
    char *body = malloc(prompt + 512);
    int size = sprintf(body, "{\"model\": \"mock\", \"max_tokens\": 3, \"stream\": %s, \"messages\": [{\"role\": \"user\", "
                             "\"content\": \"", streams ? "true" : "false");
    for (size_t i = 0; i < prompt; i++) body[size++] = i % 6 == 5 ? ' ' : 'a';
    size += sprintf(body + size, "\"}]}");
    request = malloc((size_t)size + 512);
    request_size = (size_t)sprintf(request, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                            "Content-Type: application/json\r\nAuthorization: Bearer none\r\n"
                                            "Content-Length: %d\r\n\r\n", size);
    memcpy(request + request_size, body, (size_t)size);
    request_size += (size_t)size;
    free(body);
}

static void send_more(struct client *client) {
    while (client->left) {
        ssize_t sent = send(client->socket, request + request_size - client->left, client->left, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent <= 0) return;
        client->left -= (size_t)sent;
    }
}

static void ask(struct client *client) {
    client->sent = now_ns();
    client->left = request_size;
    client->held = 0;
    send_more(client);
}

// Whether a whole answer is there; exits on one that is no success.
static int is_whole(struct client *client) {
    char *end = memmem(client->bytes, client->held, "\r\n\r\n", 4);
    if (!end) return 0;
    if (strncmp(client->bytes, "HTTP/1.1 200", 12))
        fprintf(stderr, "%.*s\n", (int)client->held, client->bytes), exit(1);
    size_t head = (size_t)(end - client->bytes) + 4;
    *end = 0;
    char *field = strcasestr(client->bytes, "\r\ncontent-length:");
    *end = '\r';
    if (field && field < end) return client->held >= head + (size_t)atol(field + 17);
    return client->held >= head + 5 && !memcmp(client->bytes + client->held - 5, "0\r\n\r\n", 5);
}

int main(int count, char **arguments) {
    if (count != 6) return fprintf(stderr, "usage: http_load PORT CLIENTS PROMPT_BYTES STREAMS SECONDS\n"), 2;
    int clients = atoi(arguments[2]);
    double seconds = atof(arguments[5]);
    make_request((size_t)atol(arguments[3]), atoi(arguments[4]));
    struct client *all = calloc((size_t)clients, sizeof *all);
    struct pollfd *items = calloc((size_t)clients, sizeof *items);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < clients; i++) {
        int yes = 1;
        all[i].socket = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(all[i].socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(all[i].socket, (struct sockaddr *)&address, sizeof address)) return perror("connect"), 2;
        items[i].fd = all[i].socket;
        ask(&all[i]);
    }
    size_t capacity = 1 << 16, ended = 0;
    int64_t *latencies = malloc(capacity * sizeof *latencies);
    int64_t warm = now_ns() + (int64_t)(seconds * 2e8), end = warm + (int64_t)(seconds * 1e9), now = 0;
    while (now < end) {
        for (int i = 0; i < clients; i++) items[i].events = (short)(POLLIN | (all[i].left ? POLLOUT : 0));
        poll(items, (nfds_t)clients, 100);
        now = now_ns();
        for (int i = 0; i < clients; i++) {
            struct client *client = &all[i];
            if (items[i].revents & POLLOUT) send_more(client);
            if (!(items[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
            ssize_t got = recv(client->socket, client->bytes + client->held, ROOM - 1 - client->held, MSG_DONTWAIT);
            if (got <= 0) return fprintf(stderr, "the server hung up\n"), 1;
            client->held += (size_t)got;
            if (!is_whole(client)) continue;
            now = now_ns();
            if (now >= warm) {
                if (ended == capacity) latencies = realloc(latencies, (capacity *= 2) * sizeof *latencies);
                latencies[ended++] = now - client->sent;
            }
            ask(client);
        }
    }
    print_result(ended, (now - warm) / 1e9, latencies, 0);
}
