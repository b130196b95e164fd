"""Kernels: from formulas to machine code. This room knows arrays, scalars and text, never a Tensor.

symbol    what a formula is made of while it is being read
printer   the one place that turns formulas into the text of a kernel
scalar    exp, log, tanh, erf ... as branch-free formulas that vectorise
loader    text -> compiled module, cached on disk by a hash of the text
hand      hand-written loops -> compiled functions, serial and on the pool of threads
threads   how many threads there are and who may use them
blas      which BLAS multiplies matrices, and on how many threads
memory    freed memory stays with the process, since to fetch it again costs more than to use it
ufuncs    a compiled loop -> a numpy ufunc, so broadcasting and strides are numpy's
"""
