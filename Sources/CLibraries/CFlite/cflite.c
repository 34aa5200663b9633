#include "cflite.h"
