/* box: lower <= x <= upper, by two constants or entry by entry. Inside, a missing bound is an IEEE infinity;
   to callers and to Tao it is PETSC_INFINITY, a finite number, at which nothing must be clipped. */
#include <twofold/impl/lsetimpl.h>

enum { LOWER, UPPER };

typedef struct {
  PetscReal constant[2];
  Vec bound[2];    /* in place of a constant, where not NULL */
  PetscBool given; /* somebody set a bound */
} Box;

static PetscReal Unbounded(PetscReal b)
{
  if (b >= PETSC_INFINITY) return (PetscReal)INFINITY;
  if (b <= PETSC_NINFINITY) return -(PetscReal)INFINITY;
  return b;
}

static PetscReal Finite(PetscReal b)
{
  return PetscMax(PetscMin(b, PETSC_INFINITY), PETSC_NINFINITY);
}

/* Whether no number lies between. */
static PetscBool Empty(PetscReal lower, PetscReal upper)
{
  return (PetscBool)(!(lower <= upper) || lower >= PETSC_INFINITY || upper <= PETSC_NINFINITY);
}

/* This rank's pieces of the bounds, NULL where a constant holds. */
static PetscErrorCode GetBoundArrays(const Box *box, const PetscScalar *bound[2])
{
  PetscFunctionBegin;
  for (int k = LOWER; k <= UPPER; k++) {
    bound[k] = NULL;
    if (box->bound[k]) PetscCall(VecGetArrayRead(box->bound[k], &bound[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RestoreBoundArrays(const Box *box, const PetscScalar *bound[2])
{
  PetscFunctionBegin;
  for (int k = LOWER; k <= UPPER; k++)
    if (box->bound[k]) PetscCall(VecRestoreArrayRead(box->bound[k], &bound[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal Bound(const Box *box, const PetscScalar *bound[2], int k, PetscInt i)
{
  return bound[k] ? bound[k][i] : box->constant[k];
}

/* Raises on every rank where a bound is NaN or a pair leaves nothing between, and names the first. */
static PetscErrorCode CheckBounds(LSET lset, Vec layout)
{
  const Box *const box = (Box *)lset->data;
  const PetscScalar *bound[2];
  char message[256] = "";
  PetscInt start, n, i = 0;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(layout, &start, NULL));
  PetscCall(VecGetLocalSize(layout, &n));
  PetscCall(GetBoundArrays(box, bound));
  while (i < n && !Empty(Bound(box, bound, LOWER, i), Bound(box, bound, UPPER, i))) i++;
  if (i < n)
    PetscCall(PetscSNPrintf(
        message, sizeof(message),
        "no number is within the bounds of entry %" PetscInt_FMT ": lower bound %.17g, upper bound %.17g",
        start + i, (double)Bound(box, bound, LOWER, i), (double)Bound(box, bound, UPPER, i)));
  PetscCall(RestoreBoundArrays(box, bound));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)lset),
                         TwofoldErrorCode(i < n ? PETSC_ERR_ARG_OUTOFRANGE : 0), message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetUp_Box(LSET lset, Vec layout)
{
  const Box *const box = (Box *)lset->data;
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";

  PetscFunctionBegin;
  PetscCheck(box->given, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_INCOMP,
             "-%slset_type box has no bounds: give -%slset_lower, -%slset_upper or LSETBoxSetBounds(), or "
             "take the type free",
             prefix, prefix, prefix);
  for (int k = LOWER; k <= UPPER; k++)
    if (box->bound[k])
      PetscCall(LSETCheckLayout_Private(
          lset, box->bound[k], layout, k == LOWER ? "a vector of lower bounds" : "a vector of upper bounds"));
  PetscCall(CheckBounds(lset, layout));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETProject_Box(LSET lset, Vec x)
{
  const Box *const box = (Box *)lset->data;
  const PetscScalar *bound[2];
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(GetBoundArrays(box, bound));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal lower = Bound(box, bound, LOWER, i), upper = Bound(box, bound, UPPER, i);
    if (a[i] < lower) /* NaN fails both tests and stays */
      a[i] = lower;
    else if (a[i] > upper)
      a[i] = upper;
  }
  PetscCall(VecRestoreArray(x, &a));
  PetscCall(RestoreBoundArrays(box, bound));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETGetBounds_Box(LSET lset, Vec lower, Vec upper, PetscBool *has)
{
  const Box *const box = (Box *)lset->data;
  Vec const to[2] = {lower, upper};
  const PetscScalar *bound[2];
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  *has = PETSC_TRUE;
  if (!lower) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(GetBoundArrays(box, bound));
  for (int k = LOWER; k <= UPPER; k++) {
    PetscCall(VecGetLocalSize(to[k], &n));
    PetscCall(VecGetArrayWrite(to[k], &a));
    for (PetscInt i = 0; i < n; i++) a[i] = Finite(Bound(box, bound, k, i));
    PetscCall(VecRestoreArrayWrite(to[k], &a));
  }
  PetscCall(RestoreBoundArrays(box, bound));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One constant in place of what there was. */
static PetscErrorCode SetConstant(LSET lset, int k, PetscReal b)
{
  Box *box = (Box *)lset->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&box->bound[k]));
  box->constant[k] = Unbounded(b);
  box->given = PETSC_TRUE;
  lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckConstants(LSET lset, PetscReal lower, PetscReal upper)
{
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";

  PetscFunctionBegin;
  PetscCheck(!Empty(lower, upper), PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_OUTOFRANGE,
             "no number is within the bounds of a box: -%slset_lower %.17g, -%slset_upper %.17g", prefix,
             (double)lower, prefix, (double)upper);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETBoxSetConstants(LSET lset, PetscReal lower, PetscReal upper)
{
  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETBOX, "LSETBoxSetConstants"));
  PetscCall(CheckConstants(lset, lower, upper));
  PetscCall(SetConstant(lset, LOWER, lower));
  PetscCall(SetConstant(lset, UPPER, upper));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETBoxSetBounds(LSET lset, Vec lower, Vec upper)
{
  Vec const from[2] = {lower, upper};
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETBOX, "LSETBoxSetBounds"));
  for (int k = LOWER; k <= UPPER; k++) {
    Box *box = (Box *)lset->data;
    if (!from[k]) continue;
    PetscCall(VecDestroy(&box->bound[k]));
    PetscCall(VecDuplicate(from[k], &box->bound[k]));
    PetscCall(VecCopy(from[k], box->bound[k]));
    PetscCall(VecGetLocalSize(box->bound[k], &n));
    PetscCall(VecGetArray(box->bound[k], &a));
    for (PetscInt i = 0; i < n; i++) a[i] = Unbounded(a[i]);
    PetscCall(VecRestoreArray(box->bound[k], &a));
    box->given = PETSC_TRUE;
    lset->setup = PETSC_FALSE;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetFromOptions_Box(LSET lset, PetscOptionItems *PetscOptionsObject)
{
  const Box *const box = (Box *)lset->data;
  PetscReal b[2] = {box->constant[LOWER], box->constant[UPPER]};
  PetscBool set[2];

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-lset_lower", "Lower bound of every entry, -inf for none",
                             "LSETBoxSetConstants", b[LOWER], &b[LOWER], &set[LOWER]));
  PetscCall(PetscOptionsReal("-lset_upper", "Upper bound of every entry, inf for none", "LSETBoxSetConstants",
                             b[UPPER], &b[UPPER], &set[UPPER]));
  PetscCall(CheckConstants(lset, b[LOWER], b[UPPER]));
  for (int k = LOWER; k <= UPPER; k++)
    if (set[k]) PetscCall(SetConstant(lset, k, b[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETView_Box(LSET lset, PetscViewer viewer)
{
  const Box *const box = (Box *)lset->data;
  const char *const names[] = {"lower", "upper"};

  PetscFunctionBegin;
  for (int k = LOWER; k <= UPPER; k++) {
    if (box->bound[k])
      PetscCall(PetscViewerASCIIPrintf(viewer, "%s bounds entry by entry\n", names[k]));
    else
      PetscCall(PetscViewerASCIIPrintf(viewer, "%s bound %g\n", names[k], (double)box->constant[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETDestroy_Box(LSET lset)
{
  Box *box = (Box *)lset->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&box->bound[LOWER]));
  PetscCall(VecDestroy(&box->bound[UPPER]));
  PetscCall(PetscFree(lset->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_Box(LSET lset)
{
  Box *box;

  PetscFunctionBegin;
  PetscCall(PetscNew(&box));
  box->constant[LOWER] = -(PetscReal)INFINITY;
  box->constant[UPPER] = (PetscReal)INFINITY;
  lset->data = box;
  lset->uses_radius = PETSC_FALSE;
  lset->ops->setfromoptions = LSETSetFromOptions_Box;
  lset->ops->setup = LSETSetUp_Box;
  lset->ops->project = LSETProject_Box;
  lset->ops->getbounds = LSETGetBounds_Box;
  lset->ops->view = LSETView_Box;
  lset->ops->destroy = LSETDestroy_Box;
  PetscFunctionReturn(PETSC_SUCCESS);
}
