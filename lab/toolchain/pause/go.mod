module govhub.io/toolchain/pause

go 1.26.0
