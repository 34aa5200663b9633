/* As much of SIP as a caller needs who only ever talks to one server. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_state { CALL_NEW, CALL_INVITED, CALL_UP, CALL_ENDING, CALL_OVER };

struct call {
	uint32_t number; /* also what Call-ID, tags and branches are made of */
	uint8_t state;
	bool measured;         /* began inside the measured window */
	int64_t asked;         /* when the request was sent that is being answered */
	int64_t ends;          /* when it will be hung up */
	char tag[48];          /* the server's */
	char contact[96];      /* the server's: where requests of the dialog are addressed */
	struct sockaddr_in to; /* where RTP goes */
	/* RTP */
	uint32_t sent, newest;
	uint64_t seen; /* one bit for each of the 64 packets up to the newest */
	double last_trip;
};

struct caller {
	struct sockaddr_in server;
	char server_text[32], own_address[16];
	uint16_t own_port, media_port, media_ports; /* every second port from media_port on */
	const char *prefix;                         /* numbers called: prefix and 7 digits */
	uint32_t numbers;                           /* how many different ones */
	char run[16];                               /* keeps runs apart */
};

struct response {
	unsigned status;
	uint32_t call;
	char method[12];
	const char *text;
};

/** Each writes one request and returns its length. */
size_t sip_invite(char *text, size_t room, const struct caller *caller, const struct call *call);
/** \p final is the status that an ACK acknowledges; 0 for a BYE. */
size_t sip_follow(char *text, size_t room, const struct caller *caller, const struct call *call,
		  const char *method, unsigned final);

/** Reads a response to one of our requests; false for anything else. */
bool sip_read(const char *text, const struct caller *caller, struct response *response);

/** Takes the server's tag, contact and media address from a final answer to the INVITE. */
void sip_take_answer(struct call *call, const struct response *response);
