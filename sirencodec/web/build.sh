#!/usr/bin/env bash
# Compiled loops -> WebAssembly. Needs the package ziglang of PyPI, a C compiler with a C library.
#   pip install ziglang==0.17.1 && web/build.sh
set -euo pipefail
cd "$(dirname "$0")"
SOURCES="native/entropy.c native/prediction.c ../native/src/picture_single.c"
EXPORTS=""
for name in begin_stream decode_symbols decode_residuals residual_tables level_table finish_stream \
    predict_phase_double paint_single; do
    EXPORTS="$EXPORTS -Wl,--export=sirencodec_$name"
done
for simd in simd128 plain; do
    FLAG=$([ $simd = simd128 ] && echo -msimd128 || echo -mno-simd128)
    "${PYTHON:-python3}" -m ziglang cc --target=wasm32-wasi -mexec-model=reactor -O3 $FLAG -ffp-contract=off \
        -fno-math-errno -I ../native/src -Wno-psabi $SOURCES $EXPORTS \
        -Wl,--export=malloc -Wl,--export=free -Wl,--strip-all -o dist/siren-$simd.wasm
done
chmod 644 dist/*.wasm
cp ../priors/1.bin dist/prior-1.bin

# What a browser downloads, compressed as servers send it.
compressed() {
    for file in "$@"; do gzip -9c "$file" | wc -c; done | awk '{ sum += $1 } END { printf "%.0f kB", sum / 1000 }'
}
DECODER="dist/siren-simd128.wasm dist/prior-1.bin src/index.js"
for module in container errors function latents layout limits loops matrices opening payload picture points region; do
    DECODER="$DECODER src/$module.js"
done
echo "the decoder: $(compressed $DECODER)"
echo "with workers and the page: $(compressed dist/*128.wasm dist/*.bin src/*.js src/fzstd/*.js index.html page/*.js page/*.css)"
echo "OpenSeadragon: $(compressed openseadragon/*.js)"
