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
