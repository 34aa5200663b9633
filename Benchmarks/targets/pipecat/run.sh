#!/bin/sh
cd "$(dirname "$0")" && exec "${PIPECAT_PYTHON:-python3}" bot.py
