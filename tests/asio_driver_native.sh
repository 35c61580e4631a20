#!/bin/bash
# SPDX-License-Identifier: MIT
# asio_driver_native.sh WRAPPER TEST DLL NATIVE: the driver's tests on the native engine, through the bridge.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TUTTI_RUNTIME_DIR=$folder TUTTI_BRIDGE=$4/bridge/tutti-bridge
"$1" "$2" "$3" "$4/tuttid/tuttid"
status=$?
# that it went this way: the engine has logged there
grep -q joined "$folder/tuttid.log" && exit $status
echo "the native engine was not met"
exit 1
