#!/bin/bash
# Healthy when the process says of itself that it is ready, or ready but degraded. The image holds no HTTP client; bash is one.
exec 3<>"/dev/tcp/127.0.0.1/${BOXOFFICE_LISTEN##*:}" || exit 1
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3 && [[ $status == 200 ]]
