#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip.h"

static void number_called(char *text, size_t room, const struct caller *caller,
			  const struct call *call)
{
	/* Spread over the table in an order that no cache of the target foresees. */
	const uint32_t mixed = call->number * 2654435761u;

	snprintf(text, room, "%s%07u", caller->prefix, mixed % caller->numbers);
}

size_t sip_invite(char *text, size_t room, const struct caller *caller, const struct call *call)
{
	const unsigned port = caller->media_port + 2 * (call->number % caller->media_ports);
	const char *own = caller->own_address;
	char body[256], number[24];
	int length;

	number_called(number, sizeof(number), caller, call);
	length = snprintf(body, sizeof(body),
			  "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
			  "m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n",
			  call->number + 1, own, own, port);
	return (size_t)snprintf(
		text, room,
		"INVITE sip:%s@%s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s%uI;rport\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:+12025550100@%s>;tag=%s%u\r\n"
		"To: <sip:%s@%s>\r\n"
		"Call-ID: %s-%u\r\n"
		"CSeq: 1 INVITE\r\n"
		"Contact: <sip:load@%s:%u>\r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: %d\r\n\r\n%s",
		number, caller->server_text, own, caller->own_port, caller->run, call->number, own,
		caller->run, call->number, number, caller->server_text, caller->run, call->number,
		own, caller->own_port, length, body);
}

size_t sip_follow(char *text, size_t room, const struct caller *caller, const struct call *call,
		  const char *method, unsigned final)
{
	/* RFC 3261 section 17.1.1.3: the ACK for a refusal belongs to the INVITE's transaction. */
	const char *branch = final >= 300 ? "I" : final ? "A" : "B";
	char number[24], own_target[64];
	const char *target = call->contact;

	number_called(number, sizeof(number), caller, call);
	if (!target[0]) {
		snprintf(own_target, sizeof(own_target), "sip:%s@%s", number, caller->server_text);
		target = own_target;
	}
	return (size_t)snprintf(
		text, room,
		"%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s%u%s;rport\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:+12025550100@%s>;tag=%s%u\r\n"
		"To: <sip:%s@%s>;tag=%s\r\n"
		"Call-ID: %s-%u\r\n"
		"CSeq: %d %s\r\n"
		"Content-Length: 0\r\n\r\n",
		method, target, caller->own_address, caller->own_port, caller->run, call->number,
		branch, caller->own_address, caller->run, call->number, number, caller->server_text,
		call->tag, caller->run, call->number, final ? 1 : 2, method);
}

/* The value of a header, up to the end of its line. */
static const char *header(const char *text, const char *name, const char *compact, size_t *length)
{
	for (const char *line = strstr(text, "\r\n"); line && line[2] != '\r';
	     line = strstr(line + 2, "\r\n")) {
		const char *colon = line + 2 + strcspn(line + 2, ": \r");
		const size_t size = (size_t)(colon - line - 2);

		if (!(size == strlen(name) && !strncasecmp(line + 2, name, size)) &&
		    !(compact && size == 1 && (line[2] | 32) == compact[0]))
			continue;
		colon += strspn(colon, ": \t");
		*length = strcspn(colon, "\r");
		return colon;
	}
	return NULL;
}

static void copy(char *to, size_t room, const char *from, size_t length)
{
	length = length < room ? length : room - 1;
	memcpy(to, from, length);
	to[length] = 0;
}

bool sip_read(const char *text, const struct caller *caller, struct response *response)
{
	const size_t run = strlen(caller->run);
	const char *id, *sequence, *method;
	size_t length;

	if (strncmp(text, "SIP/2.0 ", 8))
		return false;
	id = header(text, "Call-ID", "i", &length);
	if (!id || length <= run || strncmp(id, caller->run, run) || id[run] != '-')
		return false;
	sequence = header(text, "CSeq", NULL, &length);
	method = sequence ? memchr(sequence, ' ', length) : NULL;
	if (!method)
		return false;

	response->status = (unsigned)atoi(text + 8);
	response->call = (uint32_t)strtoul(id + run + 1, NULL, 10);
	copy(response->method, sizeof(response->method), method + 1,
	     length - (size_t)(method + 1 - sequence));
	response->text = text;
	return true;
}

void sip_take_answer(struct call *call, const struct response *response)
{
	const char *value, *begin, *end, *audio, *address;
	size_t length;

	value = header(response->text, "To", "t", &length);
	begin = value ? memmem(value, length, ";tag=", 5) : NULL;
	if (begin)
		copy(call->tag, sizeof(call->tag), begin + 5, strcspn(begin + 5, ";\r"));

	value = header(response->text, "Contact", "m", &length);
	begin = value ? memchr(value, '<', length) : NULL;
	end = begin ? memchr(begin, '>', length - (size_t)(begin - value)) : NULL;
	if (end)
		copy(call->contact, sizeof(call->contact), begin + 1, (size_t)(end - begin - 1));

	audio = strstr(response->text, "\r\nm=audio ");
	address = strstr(response->text, "\r\nc=IN IP4 ");
	if (audio && address) {
		char host[32];

		copy(host, sizeof(host), address + 11, strcspn(address + 11, "\r/"));
		call->to = (struct sockaddr_in){.sin_family = AF_INET,
						.sin_port = htons((uint16_t)atoi(audio + 10))};
		(void)inet_pton(AF_INET, host, &call->to.sin_addr);
	}
}
