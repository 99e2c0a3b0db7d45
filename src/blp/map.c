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

PetscErrorCode BLPHasMapSteps(BLP blp, PetscBool *forward, PetscBool *adjoint)
{
  PetscFunctionBegin;
  *forward = (PetscBool)(blp->ops->mapsteps != NULL);
  *adjoint = (PetscBool)(blp->ops->mapadjointsteps != NULL);
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

PetscErrorCode BLPKeepPoint_Private(BLP blp, Vec point[2], Vec theta, Vec w, Vec *lambda)
{
  Vec own, copy;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, theta, &own));
  *lambda = own;
  if (own == theta) {
    PetscCall(BLPKeepPair_Private(point, own, w));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecDuplicate(own, &copy));
  PetscCall(VecCopy(own, copy));
  PetscCall(BLPKeepPair_Private(point, copy, w));
  PetscCall(VecDestroy(&copy)); /* point has the reference */
  *lambda = point[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapApply(BLP blp, Vec lambda, Vec w, Vec y)
{
  Vec own;

  PetscFunctionBegin;
  BLPCheckOp(blp, mapapply, "map", "BLPUserSetMap");
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscUseTypeMethod(blp, mapapply, own, w, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapLinearize(BLP blp, Vec lambda, Vec w)
{
  Vec own;

  PetscFunctionBegin;
  BLPCheckOp(blp, mapapply, "map", "BLPUserSetMap");
  PetscCall(BLPKeepPoint_Private(blp, blp->map_point, lambda, w, &own));
  PetscTryTypeMethod(blp, maplinearize, own, w);
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
  Vec own;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapparameterjvp, "parameter jvp of its map", "BLPUserSetMap");
  PetscCall(BLPTieDirection_Private(blp, u, &own));
  PetscUseTypeMethod(blp, mapparameterjvp, own, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapParameterVJP(BLP blp, Vec v, Vec g)
{
  const Vec own = BLPTieOwn_Private(blp, g);

  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapparametervjp, "parameter vjp of its map", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapparametervjp, v, own);
  PetscCall(BLPTieResult_Private(blp, own, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapSteps(BLP blp, Vec lambda, PetscInt n, Vec w)
{
  Vec own;

  PetscFunctionBegin;
  BLPCheckOp(blp, mapsteps, "steps of its map", "BLPUserSetMap");
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscUseTypeMethod(blp, mapsteps, own, n, w);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapAdjointSteps(BLP blp, Vec b, PetscInt n, Vec v)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapadjointsteps, "steps of its map's adjoint", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapadjointsteps, b, n, v);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPHasMapNormalStep(BLP blp, PetscBool *has)
{
  PetscFunctionBegin;
  *has = (PetscBool)(blp->ops->mapnormalstep != NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapNormalStep(BLP blp, BLPNormalStep *step, Vec v, Vec r, Vec p, Vec z)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapnormalstep, "step of its map's normal equations", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapnormalstep, step, v, r, p, z);
  PetscReal sums[] = {step->rr, step->curvature, step->rz, step->zz};
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 4, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  step->rr = sums[0];
  step->curvature = sums[1];
  step->rz = sums[2];
  step->zz = sums[3];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCanSumParameterVJP(BLP blp, PetscBool *can)
{
  PetscFunctionBegin;
  *can = (PetscBool)(blp->ops->mapparametersum != NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapParameterVJPSum(BLP blp, Vec v)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, mapparametersum, "sum of its map's parameter vjps", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapparametersum, v);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapParameterVJPTakeSum(BLP blp, Vec g)
{
  const Vec own = BLPTieOwn_Private(blp, g);

  PetscFunctionBegin;
  BLPCheckOp(blp, mapparametertakesum, "sum of its map's parameter vjps", "BLPUserSetMap");
  PetscUseTypeMethod(blp, mapparametertakesum, own);
  PetscCall(BLPTieResult_Private(blp, own, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
