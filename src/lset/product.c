/* product: a set for each of some disjoint index sets; entries in none of them are free. */
#include <petscviewer.h>
#include <twofold/impl/lsetimpl.h>

typedef struct {
  IS is;
  LSET set;
  Vec x;              /* the part's vector: this rank's piece of the index set */
  VecScatter scatter; /* from the whole vector to the part's */
} Part;

typedef struct {
  PetscInt nparts;
  Part *part;
} Product;

static PetscErrorCode FreeWork(Part *part)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&part->x));
  PetscCall(VecScatterDestroy(&part->scatter));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Take(const Part *part, Vec whole, Vec x)
{
  PetscFunctionBegin;
  PetscCall(VecScatterBegin(part->scatter, whole, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(part->scatter, whole, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Give(const Part *part, Vec x, Vec whole, InsertMode mode)
{
  PetscFunctionBegin;
  PetscCall(VecScatterBegin(part->scatter, x, whole, mode, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(part->scatter, x, whole, mode, SCATTER_REVERSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ set-up */

/* Raises on every rank where the first ill entry of some rank's index set stands. */
static PetscErrorCode CheckRange(LSET lset, PetscInt k, IS is, Vec layout)
{
  char message[256] = "";
  const PetscInt *index;
  PetscInt size, n, i = 0;

  PetscFunctionBegin;
  PetscCall(VecGetSize(layout, &size));
  PetscCall(ISGetLocalSize(is, &n));
  PetscCall(ISGetIndices(is, &index));
  while (i < n && index[i] >= 0 && index[i] < size) i++;
  if (i < n)
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "part %" PetscInt_FMT " of a product has entry %" PetscInt_FMT
                            ", and the vector has %" PetscInt_FMT " entries, counted from 0",
                            k, index[i], size));
  PetscCall(ISRestoreIndices(is, &index));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)lset),
                         TwofoldErrorCode(i < n ? PETSC_ERR_ARG_OUTOFRANGE : 0), message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeWork(LSET lset, Part *part, Vec layout)
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FreeWork(part));
  PetscCall(ISGetLocalSize(part->is, &n));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)lset), &part->x));
  PetscCall(VecSetSizes(part->x, n, PETSC_DETERMINE));
  PetscCall(VecSetType(part->x, VECSTANDARD));
  PetscCall(VecScatterCreate(layout, part->is, part->x, NULL, &part->scatter));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Raises where an entry of part k has an owner already, and where it is named twice (part->x then has the
   number of times). */
static PetscErrorCode CheckEntries(LSET lset, PetscInt k, const Part *part, Vec owners, Vec times)
{
  char message[256] = "";
  const PetscScalar *owner, *named;
  const PetscInt *index;
  PetscInt n, i = 0;

  PetscFunctionBegin;
  PetscCall(Take(part, times, part->x));
  PetscCall(Take(part, owners, part->set->work));
  PetscCall(ISGetLocalSize(part->is, &n));
  PetscCall(ISGetIndices(part->is, &index));
  PetscCall(VecGetArrayRead(part->x, &named));
  PetscCall(VecGetArrayRead(part->set->work, &owner));
  while (i < n && owner[i] < 0 && named[i] < 2) i++;
  if (i < n && owner[i] >= 0)
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "entry %" PetscInt_FMT " is in part %" PetscInt_FMT
                            " of a product and in part %" PetscInt_FMT ": index sets must be disjoint",
                            index[i], (PetscInt)owner[i], k));
  else if (i < n)
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "entry %" PetscInt_FMT " is named %" PetscInt_FMT " times in part %" PetscInt_FMT
                            " of a product: each entry once, on one rank",
                            index[i], (PetscInt)named[i], k));
  PetscCall(VecRestoreArrayRead(part->set->work, &owner));
  PetscCall(VecRestoreArrayRead(part->x, &named));
  PetscCall(ISRestoreIndices(part->is, &index));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)lset),
                         TwofoldErrorCode(i < n ? PETSC_ERR_ARG_INCOMP : 0), message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Checks that no entry is named twice. owners: the part of each entry so far, -1 for none; times: how often
   the part at hand names it. */
static PetscErrorCode CheckDisjoint(LSET lset, Vec layout)
{
  const Product *const product = (Product *)lset->data;
  Vec owners, times;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(layout, &owners));
  PetscCall(VecDuplicate(layout, &times));
  PetscCall(VecSet(owners, -1));
  for (PetscInt k = 0; k < product->nparts; k++) {
    const Part *const part = &product->part[k];
    PetscCall(VecSet(times, 0));
    PetscCall(VecSet(part->x, 1));
    PetscCall(Give(part, part->x, times, ADD_VALUES));
    PetscCall(LSETSetUp_Private(part->set, part->x));
    PetscCall(CheckEntries(lset, k, part, owners, times));
    PetscCall(VecSet(part->x, (PetscScalar)k));
    PetscCall(Give(part, part->x, owners, INSERT_VALUES));
  }
  PetscCall(VecDestroy(&owners));
  PetscCall(VecDestroy(&times));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetUp_Product(LSET lset, Vec layout)
{
  const Product *const product = (Product *)lset->data;
  const char *const prefix = ((PetscObject)lset)->prefix;

  PetscFunctionBegin;
  PetscCheck(product->nparts > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_INCOMP,
             "-%slset_type product has no parts: options cannot name any, a program adds them by "
             "LSETProductAdd()",
             prefix ? prefix : "");
  for (PetscInt k = 0; k < product->nparts; k++) {
    PetscCall(CheckRange(lset, k, product->part[k].is, layout));
    PetscCall(MakeWork(lset, &product->part[k], layout));
  }
  PetscCall(CheckDisjoint(lset, layout));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ projection and bounds */

static PetscErrorCode LSETProject_Product(LSET lset, Vec x)
{
  const Product *const product = (Product *)lset->data;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < product->nparts; k++) {
    const Part *const part = &product->part[k];
    PetscCall(Take(part, x, part->x));
    PetscCall(LSETSetUp_Private(part->set, part->x)); /* it may be another part too, of another size */
    PetscCall(LSETProject(part->set, part->x));
    PetscCall(Give(part, part->x, x, INSERT_VALUES));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETGetBounds_Product(LSET lset, Vec lower, Vec upper, PetscBool *has)
{
  const Product *const product = (Product *)lset->data;
  Vec l, u;

  PetscFunctionBegin;
  *has = PETSC_TRUE;
  for (PetscInt k = 0; k < product->nparts && *has; k++)
    PetscCall(LSETGetBounds(product->part[k].set, NULL, NULL, has));
  if (!*has || !lower) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecSet(lower, PETSC_NINFINITY));
  PetscCall(VecSet(upper, PETSC_INFINITY));
  for (PetscInt k = 0; k < product->nparts; k++) {
    const Part *const part = &product->part[k];
    PetscCall(VecDuplicate(part->x, &l));
    PetscCall(VecDuplicate(part->x, &u));
    PetscCall(LSETSetUp_Private(part->set, part->x));
    PetscCall(LSETGetBounds(part->set, l, u, has));
    PetscCall(Give(part, l, lower, INSERT_VALUES));
    PetscCall(Give(part, u, upper, INSERT_VALUES));
    PetscCall(VecDestroy(&l));
    PetscCall(VecDestroy(&u));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the parts */

/* Whether `wanted` is the set, or a part of it at any depth. */
static PetscErrorCode Reaches(LSET lset, LSET wanted, PetscBool *reaches)
{
  PetscBool isproduct;

  PetscFunctionBegin;
  *reaches = (PetscBool)(lset == wanted);
  PetscCall(PetscObjectTypeCompare((PetscObject)lset, LSETPRODUCT, &isproduct));
  if (*reaches || !isproduct) PetscFunctionReturn(PETSC_SUCCESS);
  const Product *const product = (Product *)lset->data;
  for (PetscInt k = 0; k < product->nparts && !*reaches; k++)
    PetscCall(Reaches(product->part[k].set, wanted, reaches));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckComm(LSET lset, PetscObject obj, const char what[])
{
  PetscMPIInt relation;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_compare(PetscObjectComm((PetscObject)lset), PetscObjectComm(obj), &relation));
  PetscCheck(relation == MPI_IDENT || relation == MPI_CONGRUENT, PetscObjectComm((PetscObject)lset),
             PETSC_ERR_ARG_NOTSAMECOMM,
             "%s is not on the ranks of the product: make it on the product's communicator, with nothing on "
             "ranks that name no entry",
             what);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETProductAdd(LSET lset, IS is, LSET set)
{
  Product *product;
  PetscBool reaches;

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETPRODUCT, "LSETProductAdd"));
  PetscCall(CheckComm(lset, (PetscObject)is, "an index set"));
  PetscCall(CheckComm(lset, (PetscObject)set, "a part"));
  PetscCall(Reaches(set, lset, &reaches));
  PetscCheck(!reaches, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_WRONG,
             "a product cannot be a part of itself");
  product = (Product *)lset->data;
  PetscCall(PetscRealloc(sizeof(Part) * (size_t)(product->nparts + 1), &product->part));
  PetscCall(PetscObjectReference((PetscObject)is));
  PetscCall(PetscObjectReference((PetscObject)set));
  product->part[product->nparts++] = (Part){.is = is, .set = set};
  lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETView_Product(LSET lset, PetscViewer viewer)
{
  const Product *const product = (Product *)lset->data;
  PetscInt n;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < product->nparts; k++) {
    PetscCall(ISGetSize(product->part[k].is, &n));
    PetscCall(PetscViewerASCIIPrintf(viewer, "part %" PetscInt_FMT " of %" PetscInt_FMT " entries:\n", k, n));
    PetscCall(LSETView(product->part[k].set, viewer));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETDestroy_Product(LSET lset)
{
  Product *product = (Product *)lset->data;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < product->nparts; k++) {
    PetscCall(FreeWork(&product->part[k]));
    PetscCall(ISDestroy(&product->part[k].is));
    PetscCall(LSETDestroy(&product->part[k].set));
  }
  PetscCall(PetscFree(product->part));
  PetscCall(PetscFree(lset->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_Product(LSET lset)
{
  Product *product;

  PetscFunctionBegin;
  PetscCall(PetscNew(&product));
  lset->data = product;
  lset->uses_radius = PETSC_FALSE;
  lset->ops->setup = LSETSetUp_Product;
  lset->ops->project = LSETProject_Product;
  lset->ops->getbounds = LSETGetBounds_Product;
  lset->ops->view = LSETView_Product;
  lset->ops->destroy = LSETDestroy_Product;
  PetscFunctionReturn(PETSC_SUCCESS);
}
