#pragma once
#include <opus.h>

/* opus_encoder_ctl() takes variable arguments, which Swift cannot pass. */
static inline int shim_opus_encoder_set(OpusEncoder *encoder, int request, int value)
{
	return opus_encoder_ctl(encoder, request, (opus_int32)value);
}
