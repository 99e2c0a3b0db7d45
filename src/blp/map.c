/* What the lower level is: a loss, a map or both; the map's dispatch. */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPHasLoss(BLP blp, PetscBool *has)
{
  PetscFunctionBegin;
  *has = blp->ops->lossgradient ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPHasMap(BLP blp, PetscBool *has)
{
  PetscFunctionBegin;
  *has = blp->ops->mapapply ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapIsSymmetric(BLP blp, PetscBool *symmetric)
{
  PetscFunctionBegin;
  *symmetric = (PetscBool)(blp->ops->mapapply && blp->map_symmetric);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPKeepPair_Private(Vec pair[2], Vec first, Vec second)
{
  PetscFunctionBegin;
  if (first) PetscCall(PetscObjectReference((PetscObject)first));
  if (second) PetscCall(PetscObjectReference((PetscObject)second));
  PetscCall(VecDestroy(&pair[0]));
  PetscCall(VecDestroy(&pair[1]));
  pair[0] = first;
  pair[1] = second;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapApply(BLP blp, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  BLPCheckOp(blp, mapapply, "map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapapply, lambda, w, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapLinearize(BLP blp, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  BLPCheckOp(blp, mapapply, "map", "BLPUserSetMap");
  PetscCall(BLPKeepPair_Private(blp->map_point, lambda, w));
  PetscTryTypeMethod(blp, maplinearize, lambda, w);
  blp->map_linearized = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckLinearized(BLP blp)
{
  PetscFunctionBegin;
  PetscCheck(blp->map_linearized, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "products of the map's derivatives need a point: BLPMapLinearize() first");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapJVP(BLP blp, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapjvp, "jvp of its map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapjvp, v, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapVJP(BLP blp, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapvjp, "vjp of its map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapvjp, v, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapParameterJVP(BLP blp, Vec u, Vec y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapparameterjvp, "parameter jvp of its map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapparameterjvp, u, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapParameterVJP(BLP blp, Vec v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapparametervjp, "parameter vjp of its map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapparametervjp, v, g);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetContraction(BLP blp, Vec lambda, TwofoldConstant *q)
{
  PetscFunctionBegin;
  *q = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscTryTypeMethod(blp, contraction, lambda, q);
  PetscFunctionReturn(PETSC_SUCCESS);
}
