#!/bin/sh
# Gives containerd the images of the control plane, once, before anybody asks for them.
set -eu
if [ -e /kind/images.tar ]; then
    ctr --namespace=k8s.io images import --no-unpack /kind/images.tar
    rm /kind/images.tar
fi
