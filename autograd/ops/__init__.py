"""Operations: one row or one small class each.

op            what an operation is, and the registry
formula       elementwise operations made from a formula
elementwise   their rows
products einsum solvers decompositions matrix_functions   linear algebra; linalg has its names outside autograd.linalg
reduce shape index join softmax convert ...   the others, by what they do
"""
