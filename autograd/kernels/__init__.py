"""Kernels: from formulas to machine code. This room knows arrays, scalars and text, never a Tensor.

symbol    what a formula is made of while it is being read
printer   the one place that turns formulas into the text of a kernel
scalar    exp, log, tanh, erf ... as branch-free formulas that vectorise
loader    text -> compiled module, cached on disk by a hash of the text
hand      hand-written loops -> compiled functions, serial and on the pool of threads
rewrite   what is changed in their text for the compiler; `advice` is what LLVM is told about loops
arrays    arrays in kernels: at an address, or in memory that a kernel takes while it runs
threads   how many threads there are and who may use them
gemm      matrix products; `panels` their innermost loops, `tile` those of convolutions, both written by `vectors`
memory    freed memory stays with the process, since to fetch it again costs more than to use it
ufuncs    a compiled loop -> a numpy ufunc, so broadcasting and strides are numpy's
share     long loops of ufuncs, cut into parts for the pool
broadcast loops over rows, columns and stacks that are broadcast; `summed` those whose results are added up, `over`
          those whose result goes over an operand
quiet     numpy's functions without its warnings
table     a dictionary that makes what it is asked for
turn      copies in row-major order, of transposed arrays too
order     floating numbers in the order of integers, in which SIMD finds the largest

Others serve one purpose each, as `attention`, `distance`, `linear`, `pool`, `products`, `recurrent` and `updates` do;
`lapack` calls SciPy's routines.

Families. What reduces, scans or spreads along an axis sees its array as (outer, n, inner), and is one loop for all of
its kind, filled in with formulas by `Kernel.of`: `reduce` (sums, products, extrema, norms, moments), `spread` (their
gradients), `scan`, `places` (where an extremum is), `sort`, `softmax`. `normalize` is rows and channels, `scatter` and
`bags` are sums into places, `noise` is random numbers that are computed where they are needed. `conv` and `columns` are
convolutions with few and with many outputs; both read images that lie as `planes` says.

Threads. There is one pool, numba's OpenMP layer. A hand-written kernel says ``prange`` and is compiled a second time
when its arrays are large, and so are updates and compiled programs. The loop of a ufunc is cut into parts by `share`,
without a second compilation and at no cost to a small call. Of a product (`ParallelKernel.doing`) each thread computes
a part. All ask `threads.enter`, or look at the state it keeps from compiled code, so only one of them is on the pool at
a time; who does not get it runs serially. What is too small to gain never asks: `threads.GRAIN` says how much work
pays, and each kernel how much an element of its arrays is. Results don't depend on the number of threads, but for
products of a few rows, which `gemm` tells of.
"""
