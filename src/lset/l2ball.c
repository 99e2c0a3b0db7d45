/* l2ball: ||x - c|| <= r. The projection is c + (x - c) min(1, r / ||x - c||). */
#include <twofold/impl/lsetimpl.h>

typedef struct {
  Vec center; /* NULL for 0 */
} L2Ball;

static PetscErrorCode LSETSetUp_L2Ball(LSET lset, Vec layout)
{
  const L2Ball *const ball = (L2Ball *)lset->data;
  char message[256] = "";
  const PetscScalar *c;
  PetscInt start, n, i = 0;

  PetscFunctionBegin;
  if (!ball->center) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LSETCheckLayout_Private(lset, ball->center, layout, "a center"));
  PetscCall(VecGetOwnershipRange(layout, &start, NULL));
  PetscCall(VecGetLocalSize(layout, &n));
  PetscCall(VecGetArrayRead(ball->center, &c));
  while (i < n && !PetscIsInfOrNanScalar(c[i])) i++;
  if (i < n)
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "entry %" PetscInt_FMT " of the center of a ball is %g: must be finite",
                            start + i, (double)c[i]));
  PetscCall(VecRestoreArrayRead(ball->center, &c));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)lset),
                         TwofoldErrorCode(i < n ? PETSC_ERR_ARG_OUTOFRANGE : 0), message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d = x - c and ||d|| = scale * factor; halved where a difference overflows, by the power of 2 in *part.
   Collective. */
static PetscErrorCode Difference(MPI_Comm comm, PetscInt n, const PetscScalar x[], const PetscScalar c[],
                                 PetscScalar d[], PetscReal *part, PetscReal *scale, PetscReal *factor)
{
  PetscFunctionBegin;
  for (*part = 1;; *part = 0.5) {
    for (PetscInt i = 0; i < n; i++) d[i] = c ? *part * x[i] - *part * c[i] : *part * x[i];
    PetscCall(LSETScaledNorm_Private(comm, n, d, scale, factor));
    if (*part < 1 || !PetscIsInfReal(*scale)) break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x on the sphere; NaN where x - c has no direction. */
static void Shrink(PetscInt n, const PetscScalar d[], const PetscScalar c[], PetscReal scale,
                   PetscReal length, PetscScalar x[])
{
  if (PetscIsInfOrNanReal(scale))
    for (PetscInt i = 0; i < n; i++) x[i] = (PetscReal)NAN;
  else
    for (PetscInt i = 0; i < n; i++) x[i] = (c ? c[i] : 0) + (d[i] / scale) * length;
}

static PetscErrorCode LSETProject_L2Ball(LSET lset, Vec x)
{
  const L2Ball *const ball = (L2Ball *)lset->data;
  PetscReal part, scale, factor;
  const PetscScalar *c = NULL;
  PetscScalar *a, *d;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(PetscMalloc1(n, &d));
  if (ball->center) PetscCall(VecGetArrayRead(ball->center, &c));
  PetscCall(VecGetArray(x, &a));
  PetscCall(Difference(PetscObjectComm((PetscObject)lset), n, a, c, d, &part, &scale, &factor));
  if (scale != 0 && !(factor <= part * lset->radius / scale))
    Shrink(n, d, c, scale, lset->radius / factor, a);
  PetscCall(VecRestoreArray(x, &a));
  if (ball->center) PetscCall(VecRestoreArrayRead(ball->center, &c));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETL2BallSetCenter(LSET lset, Vec center)
{
  L2Ball *ball;

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETL2BALL, "LSETL2BallSetCenter"));
  ball = (L2Ball *)lset->data;
  PetscCall(VecDestroy(&ball->center));
  lset->setup = PETSC_FALSE;
  if (!center) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDuplicate(center, &ball->center));
  PetscCall(VecCopy(center, ball->center));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETView_L2Ball(LSET lset, PetscViewer viewer)
{
  const L2Ball *const ball = (L2Ball *)lset->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "center %s\n", ball->center ? "a vector" : "0"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETDestroy_L2Ball(LSET lset)
{
  L2Ball *ball = (L2Ball *)lset->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&ball->center));
  PetscCall(PetscFree(lset->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_L2Ball(LSET lset)
{
  L2Ball *ball;

  PetscFunctionBegin;
  PetscCall(PetscNew(&ball));
  lset->data = ball;
  lset->uses_radius = PETSC_TRUE;
  lset->ops->setup = LSETSetUp_L2Ball;
  lset->ops->project = LSETProject_L2Ball;
  lset->ops->view = LSETView_L2Ball;
  lset->ops->destroy = LSETDestroy_L2Ball;
  PetscFunctionReturn(PETSC_SUCCESS);
}
