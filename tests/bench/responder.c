/*
 * A fleet of SNMP agents for measuring: v1 and v2c, GET, GETNEXT and GETBULK, the same table behind every address.
 *
 *   responder TABLE FIRST COUNT SILENT PORT
 *
 * TABLE has one object a line, "OID|TAG|VALUE" in ascending order (TAG is the BER tag in decimal; OCTET STRINGs as hex).
 * COUNT sockets are bound on 127.x.y.z from FIRST upwards; the last SILENT of them never answer. Counters rise by their
 * index + 1 for every second that passes. One thread, epoll; prints "ready" when all sockets are bound; ends on SIGTERM.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_OBJECTS 4096
#define MAX_ARCS 64
#define MAX_ANSWER 1472

struct object {
    uint32_t arcs[MAX_ARCS];
    int length;
    uint8_t bytes[512]; /* OID and value, encoded */
    int oid_size, size;
    int counter; /* 0, or the width of a counter's content */
    uint64_t value;
};

static struct object objects[MAX_OBJECTS];
static int object_count;
static time_t started;

static int put_length(uint8_t *out, int length) {
    if (length < 128) {
        out[0] = length;
        return 1;
    }
    out[0] = 0x82, out[1] = length >> 8, out[2] = length & 0xff;
    return 3;
}

static int put_arc(uint8_t *out, uint32_t arc) {
    uint8_t reversed[5];
    int n = 0;
    do
        reversed[n++] = arc & 0x7f, arc >>= 7;
    while (arc);
    for (int i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i] | (i < n - 1 ? 0x80 : 0);
    return n;
}

static int put_oid(uint8_t *out, const uint32_t *arcs, int length) {
    uint8_t body[MAX_ARCS * 5];
    int n = put_arc(body, arcs[0] * 40 + arcs[1]);
    for (int i = 2; i < length; i++)
        n += put_arc(body + n, arcs[i]);
    out[0] = 6;
    int head = 1 + put_length(out + 1, n);
    memcpy(out + head, body, n);
    return head + n;
}

static void put_number(uint8_t *out, uint64_t value, int width) {
    for (int i = width - 1; i >= 0; i--, value >>= 8)
        out[i] = value & 0xff;
}

static void load(const char *path) {
    FILE *file = fopen(path, "r");
    char line[2048];
    if (!file)
        perror(path), exit(1);
    while (fgets(line, sizeof line, file) && object_count < MAX_OBJECTS) {
        struct object *o = &objects[object_count++];
        char *oid = strtok(line, "|"), *tag = strtok(NULL, "|"), *value = strtok(NULL, "\n");
        for (char *arc = strtok(oid, "."); arc; arc = strtok(NULL, "."))
            o->arcs[o->length++] = strtoul(arc, NULL, 10);
        o->oid_size = put_oid(o->bytes, o->arcs, o->length);
        uint8_t *at = o->bytes + o->oid_size;
        int kind = atoi(tag);
        value = value ? value : "";
        at[0] = kind;
        if (kind == 4) {
            int n = strlen(value) / 2;
            int head = 1 + put_length(at + 1, n);
            for (int i = 0; i < n; i++)
                sscanf(value + 2 * i, "%2hhx", at + head + i);
            o->size = o->oid_size + head + n;
        } else if (kind == 6) {
            uint32_t arcs[MAX_ARCS];
            int n = 0;
            for (char *arc = strtok(value, "."); arc; arc = strtok(NULL, "."))
                arcs[n++] = strtoul(arc, NULL, 10);
            o->size = o->oid_size + put_oid(at, arcs, n);
        } else {
            int width = kind == 70 ? 9 : 5; /* a leading zero keeps unsigned values positive */
            o->value = strtoull(value, NULL, 10);
            at[1] = width;
            put_number(at + 2, o->value, width);
            o->size = o->oid_size + 2 + width;
            o->counter = kind == 65 || kind == 70 ? width : 0;
        }
    }
    fclose(file);
}

static int compare(const uint32_t *a, int la, const uint32_t *b, int lb) {
    for (int i = 0; i < la && i < lb; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return la - lb;
}

/* The first object at (exact) or after a name; object_count when there is none. */
static int seek(const uint32_t *arcs, int length, int after) {
    int low = 0, high = object_count;
    while (low < high) {
        int middle = (low + high) / 2;
        int order = compare(objects[middle].arcs, objects[middle].length, arcs, length);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int read_tlv(const uint8_t *in, int size, int *tag, int *length) {
    if (size < 2)
        return -1;
    int head = 2;
    *tag = in[0], *length = in[1];
    if (*length & 0x80) {
        int n = *length & 0x7f;
        if (n > 2 || size < 2 + n)
            return -1;
        *length = 0;
        while (n--)
            *length = *length << 8 | in[head++];
    }
    return head + *length > size ? -1 : head;
}

static int read_oid(const uint8_t *in, int size, uint32_t *arcs) {
    int n = 1;
    uint32_t arc = 0;
    arcs[0] = arcs[1] = 0;
    for (int i = 0; i < size; i++) {
        arc = arc << 7 | (in[i] & 0x7f);
        if (in[i] & 0x80)
            continue;
        if (n == 1)
            arcs[0] = arc < 80 ? arc / 40 : 2, arcs[1] = arc - 40 * arcs[0], n = 2;
        else if (n < MAX_ARCS)
            arcs[n++] = arc;
        arc = 0;
    }
    return n;
}

static int put_binding(uint8_t *out, int room, int index, const uint8_t *name, int name_size, int missing) {
    struct object *o = index < object_count ? &objects[index] : NULL;
    int content = o ? o->size : name_size + 2;
    if (content + 4 > room)
        return 0;
    out[0] = 0x30;
    int head = 1 + put_length(out + 1, content);
    uint8_t *at = out + head;
    if (o) {
        memcpy(at, o->bytes, o->size);
        if (o->counter)
            put_number(at + o->oid_size + 2, o->value + (uint64_t)(time(NULL) - started) * (index + 1), o->counter);
    } else {
        memcpy(at, name, name_size);
        at[name_size] = missing, at[name_size + 1] = 0;
    }
    return head + content;
}

static int answer(const uint8_t *in, int size, uint8_t *out) {
    int tag, length, head, at = 0;
    const uint8_t *field[5];
    int field_size[5], pdu_tag;
    if ((head = read_tlv(in, size, &tag, &length)) < 0 || tag != 0x30)
        return 0;
    at = head;
    for (int i = 0; i < 2; i++) { /* version, community: copied as they came */
        if ((head = read_tlv(in + at, size - at, &tag, &length)) < 0)
            return 0;
        field[i] = in + at, field_size[i] = head + length, at += head + length;
    }
    if ((head = read_tlv(in + at, size - at, &pdu_tag, &length)) < 0)
        return 0;
    at += head;
    int numbers[3];
    for (int i = 0; i < 3; i++) { /* request id, non-repeaters or error status, max-repetitions or error index */
        if ((head = read_tlv(in + at, size - at, &tag, &length)) < 0)
            return 0;
        numbers[i] = 0;
        for (int k = 0; k < length; k++)
            numbers[i] = numbers[i] << 8 | in[at + head + k];
        if (i == 0)
            field[2] = in + at, field_size[2] = head + length;
        at += head + length;
    }
    if ((head = read_tlv(in + at, size - at, &tag, &length)) < 0)
        return 0;
    at += head;
    int end = at + length, names = 0, place[64];
    uint32_t arcs[MAX_ARCS];
    static uint8_t list[MAX_ANSWER];
    const uint8_t *name[64];
    int name_size[64], filled = 0, room = MAX_ANSWER - 80;
    while (at < end && names < 64) {
        int outer = read_tlv(in + at, end - at, &tag, &length);
        if (outer < 0)
            return 0;
        int whole = outer + length;
        int inner = read_tlv(in + at + outer, length, &tag, &length);
        if (inner < 0 || tag != 6)
            return 0;
        name[names] = in + at + outer, name_size[names] = inner + length;
        int arcs_count = read_oid(in + at + outer + inner, length, arcs);
        int found = seek(arcs, arcs_count, pdu_tag != 0xa0);
        if (pdu_tag == 0xa0 && found < object_count &&
            compare(objects[found].arcs, objects[found].length, arcs, arcs_count))
            found = object_count;
        place[names++] = found;
        at += whole;
    }
    int repetitions = pdu_tag == 0xa5 ? numbers[2] : 1, fixed = pdu_tag == 0xa5 ? numbers[1] : 0;
    int missing = pdu_tag == 0xa0 ? 0x81 : 0x82;
    for (int row = 0; row < repetitions; row++) {
        int alive = 0;
        for (int i = row ? fixed : 0; i < names; i++) {
            int put = put_binding(list + filled, room - filled, place[i], name[i], name_size[i], missing);
            if (!put)
                goto full;
            filled += put;
            alive |= place[i] < object_count;
            if (place[i] < object_count && i >= fixed)
                name[i] = objects[place[i]].bytes, name_size[i] = objects[place[i]].oid_size, place[i]++;
        }
        if (!alive)
            break;
    }
full:;
    uint8_t list_head[4], pdu_head[4], message_head[4];
    const uint8_t no_error[6] = {2, 1, 0, 2, 1, 0};
    list_head[0] = 0x30;
    int list_head_size = 1 + put_length(list_head + 1, filled);
    int pdu_content = field_size[2] + 6 + list_head_size + filled;
    pdu_head[0] = 0xa2;
    int pdu_head_size = 1 + put_length(pdu_head + 1, pdu_content);
    message_head[0] = 0x30;
    int message_head_size = 1 + put_length(message_head + 1, field_size[0] + field_size[1] + pdu_head_size + pdu_content);
    int n = 0;
#define PUT(from, count) memcpy(out + n, from, count), n += count
    PUT(message_head, message_head_size);
    PUT(field[0], field_size[0]);
    PUT(field[1], field_size[1]);
    PUT(pdu_head, pdu_head_size);
    PUT(field[2], field_size[2]);
    PUT(no_error, 6);
    PUT(list_head, list_head_size);
    PUT(list, filled);
    return n;
}

int main(int count, char **argument) {
    if (count != 6)
        return fprintf(stderr, "usage: responder TABLE FIRST COUNT SILENT PORT\n"), 2;
    load(argument[1]);
    uint32_t first = ntohl(inet_addr(argument[2]));
    int agents = atoi(argument[3]), silent = atoi(argument[4]), port = atoi(argument[5]);
    struct rlimit files = {agents + 64, agents + 64};
    setrlimit(RLIMIT_NOFILE, &files);
    started = time(NULL);
    int loop = epoll_create1(0);
    for (int i = 0; i < agents; i++) {
        int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(first + i)};
        if (bind(socket_, (struct sockaddr *)&self, sizeof self))
            return perror("bind"), 1;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)socket_ << 1 | (i >= agents - silent)};
        epoll_ctl(loop, EPOLL_CTL_ADD, socket_, &event);
    }
    puts("ready"), fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(loop, events, 256, -1);
        for (int i = 0; i < n; i++) {
            static uint8_t in[65536], out[65536];
            int socket_ = events[i].data.u64 >> 1, mute = events[i].data.u64 & 1;
            struct sockaddr_in peer;
            socklen_t peer_size = sizeof peer;
            int size;
            while ((size = recvfrom(socket_, in, sizeof in, 0, (struct sockaddr *)&peer, &peer_size)) >= 0) {
                int length = mute ? 0 : answer(in, size, out);
                if (length)
                    sendto(socket_, out, length, 0, (struct sockaddr *)&peer, peer_size);
            }
        }
    }
}
