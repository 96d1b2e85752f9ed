/*
 * Sends notifications at a steady pace, as cheaply as the kernel allows.
 *
 *   trapper STREAM FIRST PORT RATE SECONDS
 *
 * STREAM holds datagrams one after the other: which sender it is from and its length (two octets each, the high one first),
 * then its octets. Sender n has the address FIRST + n, which only has to be local (127.x.y.z). The stream is sent to
 * 127.0.0.1:PORT from its start again and again, RATE datagrams a second for SECONDS seconds, in portions of a
 * millisecond. Prints how many were sent, how many the kernel refused, and the seconds that it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define AT_ONCE 64
#define MAX_DATAGRAMS 200000

static struct { const uint8_t *octets; uint16_t size, sender; } datagrams[MAX_DATAGRAMS];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        perror(path), exit(1);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    uint8_t *all = malloc(size);
    rewind(file);
    if (!all || fread(all, 1, size, file) != (size_t)size)
        perror(path), exit(1);
    fclose(file);
    int count = 0;
    for (long at = 0; at + 4 <= size && count < MAX_DATAGRAMS; count++) {
        datagrams[count].sender = all[at] << 8 | all[at + 1];
        datagrams[count].size = all[at + 2] << 8 | all[at + 3];
        datagrams[count].octets = all + at + 4;
        at += 4 + datagrams[count].size;
    }
    return count;
}

int main(int count, char **argument) {
    if (count != 6)
        return fprintf(stderr, "usage: trapper STREAM FIRST PORT RATE SECONDS\n"), 2;
    int known = load(argument[1]);
    uint32_t first = ntohl(inet_addr(argument[2]));
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(atoi(argument[3]))};
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    double rate = atof(argument[4]), seconds = atof(argument[5]);
    int socket_ = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20;
    setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    static struct mmsghdr messages[AT_ONCE];
    static struct iovec parts[AT_ONCE];
    static uint8_t controls[AT_ONCE][CMSG_SPACE(sizeof(struct in_pktinfo))];
    for (int i = 0; i < AT_ONCE; i++) {
        struct msghdr *head = &messages[i].msg_hdr;
        head->msg_name = &peer, head->msg_namelen = sizeof peer;
        head->msg_iov = &parts[i], head->msg_iovlen = 1;
        head->msg_control = controls[i], head->msg_controllen = sizeof controls[i];
        struct cmsghdr *control = CMSG_FIRSTHDR(head);
        control->cmsg_level = IPPROTO_IP, control->cmsg_type = IP_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    }
    long total = rate * seconds, sent = 0, refused = 0;
    double start = now();
    while (sent + refused < total) {
        long due = (now() - start) * rate;
        if (due > total)
            due = total;
        while (sent + refused < due) {
            int portion = due - sent - refused < AT_ONCE ? due - sent - refused : AT_ONCE;
            for (int i = 0; i < portion; i++) {
                long number = (sent + refused + i) % known;
                struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(first + datagrams[number].sender)};
                parts[i].iov_base = (void *)datagrams[number].octets, parts[i].iov_len = datagrams[number].size;
                memcpy(CMSG_DATA(CMSG_FIRSTHDR(&messages[i].msg_hdr)), &from, sizeof from);
            }
            int gone = sendmmsg(socket_, messages, portion, 0);
            if (gone > 0)
                sent += gone;
            else if (errno != EINTR)
                refused++;
        }
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    printf("%ld %ld %.3f\n", sent, refused, now() - start);
}
