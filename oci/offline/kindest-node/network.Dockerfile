# Kubernetes' programs. Of these, kube-proxy and the pod network need the distribution's packet filter programs.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iptables nftables iproute2 conntrack kmod jq \
 && rm -rf /var/lib/apt/lists/*
COPY programs/ /usr/local/bin/
