// Redis Streams doing what a query asks of Aladdin: `redis PORT CLIENTS SECONDS BYTES`.
//
// Each client adds a question to one stream and waits for its answer on a stream of its own. A worker reads questions as a
// consumer of a group, as many as are there, and for each adds the answer and acknowledges the question. Clients have one
// question each under way; the worker sends its commands together.
#include "clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 18 };

struct peer {
    int socket;
    size_t held;
    int64_t sent;
    int isAsking; // the answer to XADD is still to come
    char bytes[ROOM];
};

static int port;
static char payload[4096];

static void say(int socket, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = write(socket, bytes, size);
        if (sent <= 0) perror("write"), exit(1);
        bytes += sent, size -= (size_t)sent;
    }
}

// A command of words; returns its length in `into`.
static size_t command(char *into, int count, const char **words) {
    size_t size = (size_t)sprintf(into, "*%d\r\n", count);
    for (int i = 0; i < count; i++) size += (size_t)sprintf(into + size, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
    return size;
}

static void connect_peer(struct peer *peer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(peer->socket, (struct sockaddr *)&address, sizeof address)) perror("connect"), exit(2);
}

// The length of the reply at `bytes`, or 0 if it is not all there.
static size_t reply_length(const char *bytes, size_t size) {
    const char *end = memchr(bytes, '\n', size);
    if (!end) return 0;
    size_t length = (size_t)(end - bytes) + 1;
    long number = atol(bytes + 1);
    if (*bytes == '-') fprintf(stderr, "%.*s", (int)length, bytes), exit(1);
    if (*bytes == '$') return number < 0 ? length : length + (size_t)number + 2 <= size ? length + (size_t)number + 2 : 0;
    if (*bytes != '*') return length;
    for (long i = 0; i < number; i++) {
        size_t part = reply_length(bytes + length, size - length);
        if (!part) return 0;
        length += part;
    }
    return length;
}

static size_t receive(struct peer *peer) {
    for (;;) {
        size_t length = peer->held ? reply_length(peer->bytes, peer->held) : 0;
        if (length) return length;
        ssize_t got = read(peer->socket, peer->bytes + peer->held, ROOM - peer->held);
        if (got <= 0) fprintf(stderr, "the server hung up\n"), exit(1);
        peer->held += (size_t)got;
    }
}

static void drop(struct peer *peer, size_t length) {
    peer->held -= length;
    memmove(peer->bytes, peer->bytes + length, peer->held);
}

// The bulk strings of a reply, in order.
static int strings(const char *bytes, size_t size, char (*into)[4096], int most) {
    int count = 0;
    for (const char *at = bytes; at < bytes + size && count < most;) {
        const char *end = memchr(at, '\n', (size_t)(bytes + size - at));
        if (*at == '$') {
            long length = atol(at + 1);
            memcpy(into[count], end + 1, (size_t)length);
            into[count++][length] = 0;
            at = end + 1 + length + 2;
        } else {
            at = end + 1;
        }
    }
    return count;
}

static void *work(void *unused) {
    (void)unused;
    static struct peer peer;
    static char found[1024][4096], out[ROOM];
    connect_peer(&peer);
    for (;;) {
        const char *read[] = {"XREADGROUP", "GROUP", "g", "w", "COUNT", "100", "BLOCK", "0", "STREAMS", "q", ">"};
        say(peer.socket, out, command(out, 11, read));
        size_t length = receive(&peer);
        int count = strings(peer.bytes, length, found, 1024), replies = 0; // q, then id, "c", client, "p", payload of each
        drop(&peer, length);
        size_t size = 0;
        for (int i = 1; i + 4 < count; i += 5) {
            char stream[32];
            snprintf(stream, sizeof stream, "a%.20s", found[i + 2]);
            const char *add[] = {"XADD", stream, "MAXLEN", "~", "100", "*", "p", found[i + 4]};
            const char *acknowledge[] = {"XACK", "q", "g", found[i]};
            size += command(out + size, 8, add);
            size += command(out + size, 4, acknowledge);
            replies += 2;
        }
        say(peer.socket, out, size);
        while (replies--) drop(&peer, receive(&peer));
    }
    return NULL;
}

static void ask(struct peer *client, int number) {
    char out[8192], name[16], stream[16];
    snprintf(name, sizeof name, "%d", number);
    snprintf(stream, sizeof stream, "a%d", number);
    const char *add[] = {"XADD", "q", "MAXLEN", "~", "10000", "*", "c", name, "p", payload};
    client->sent = now_ns();
    client->isAsking = 1;
    say(client->socket, out, command(out, 10, add));
}

int main(int count, char **arguments) {
    if (count != 5) return fprintf(stderr, "usage: redis PORT CLIENTS SECONDS BYTES\n"), 2;
    port = atoi(arguments[1]);
    int clients = atoi(arguments[2]);
    memset(payload, 'a', (size_t)atoi(arguments[4]));
    struct peer *all = calloc((size_t)clients + 1, sizeof *all), *other = &all[clients];
    struct pollfd *items = calloc((size_t)clients, sizeof *items);
    char (*last)[64] = calloc((size_t)clients, sizeof *last);
    connect_peer(other);
    char out[8192];
    const char *flush[] = {"FLUSHALL"}, *group[] = {"XGROUP", "CREATE", "q", "g", "$", "MKSTREAM"};
    say(other->socket, out, command(out, 1, flush));
    drop(other, receive(other));
    say(other->socket, out, command(out, 6, group));
    drop(other, receive(other));
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    size_t capacity = 1 << 16, ended = 0;
    int64_t *latencies = malloc(capacity * sizeof *latencies);
    for (int i = 0; i < clients; i++) {
        strcpy(last[i], "0");
        connect_peer(&all[i]);
        items[i] = (struct pollfd){.fd = all[i].socket, .events = POLLIN};
        ask(&all[i], i);
    }
    int64_t begin = now_ns(), end = begin + (int64_t)(atof(arguments[3]) * 1e9);
    static char found[16][4096];
    while (now_ns() < end) {
        poll(items, (nfds_t)clients, 100);
        for (int i = 0; i < clients; i++) {
            if (!(items[i].revents & POLLIN)) continue;
            struct peer *client = &all[i];
            size_t length = receive(client);
            if (client->isAsking) {
                char stream[16];
                snprintf(stream, sizeof stream, "a%d", i);
                const char *wait[] = {"XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", stream, last[i]};
                client->isAsking = 0;
                drop(client, length);
                say(client->socket, out, command(out, 8, wait));
                continue;
            }
            if (strings(client->bytes, length, found, 16) > 1) snprintf(last[i], sizeof *last, "%.60s", found[1]);
            drop(client, length);
            if (ended == capacity) latencies = realloc(latencies, (capacity *= 2) * sizeof *latencies);
            latencies[ended++] = now_ns() - client->sent;
            ask(client, i);
        }
    }
    print_result(ended, (now_ns() - begin) / 1e9, latencies, 0);
    _exit(0);
}
